class Job:
    def __init__(self, glue):
        pass

    def init(self, name, args):
        self.name = name

    def commit(self):
        print("committed " + self.name, flush=True)
