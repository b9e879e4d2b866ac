"""A Spark that stays, for tests: does the work of one spark-submit after another in one JVM, each in a session of its own.

    resident.py SOCKET

The first connection says by its end that all is done. Then it takes one at a time. A request is a line of JSON: {"script": PATH, "args": […]}; the script is run as it would be by
spark-submit. The answer is a line {"code": N, "told": TEXT} with what it would have ended with and has said.
"""

import contextlib
import io
import json
import os
import socket
import sys
import threading
import traceback

import pyspark.sql

base = pyspark.sql.SparkSession.builder.getOrCreate()


class Builder:
    """Stands in for SparkSession.builder: a new session with the settings that were asked for, which does not end Spark."""

    def __init__(self):
        self.conf = {}

    def appName(self, name):
        return self

    def config(self, key, value):
        self.conf[key] = value
        return self

    def getOrCreate(self):
        session = base.newSession()
        for key, value in self.conf.items():
            session.conf.set(key, value)
        session.stop = lambda: None
        return session


class Session:
    @property
    def builder(self):
        return Builder()


pyspark.sql.SparkSession = Session()


def do(request):
    told = io.StringIO()
    sys.argv = [request["script"], *request["args"]]
    code = 0
    with contextlib.redirect_stderr(told), contextlib.redirect_stdout(told):
        try:
            with open(request["script"]) as f:
                exec(compile(f.read(), request["script"], "exec"), {"__name__": "__main__"})
        except SystemExit as e:
            code = e.code if isinstance(e.code, int) else 0 if e.code is None else 1
            if isinstance(e.code, str):
                told.write(e.code)
        except Exception:
            traceback.print_exc()
            code = 1
    return {"code": code, "told": told.getvalue()}


def end(keeper):
    keeper.recv(1)
    base.sparkContext.stop()
    os._exit(0)


server = socket.socket(socket.AF_UNIX)
server.bind(sys.argv[1])
server.listen()
threading.Thread(target=end, args=[server.accept()[0]], daemon=True).start()
while True:
    connection, _ = server.accept()
    with connection, connection.makefile("rwb") as lines:
        line = lines.readline()
        if line:
            lines.write(json.dumps(do(json.loads(line))).encode() + b"\n")
