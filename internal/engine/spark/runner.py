"""Runs the models of one tarn run on Spark: spark-submit, an AWS Glue 5 job and EMR Serverless all start this file as it is.

    runner.py --tarn-plan PLAN [--tarn-io KEY=VALUE,…] [--tarn-only TABLE,… | --tarn-late true]

PLAN is the location of a JSON document (see plan.go beside this file). Its tables are Iceberg metadata, which this
program hands to Spark by an Iceberg REST catalog of its own, on this machine's loopback: nothing is created or changed in
any catalog that others see, and field ids stay those of the plan. Rows are written below the paths that the plan names;
what the tables then look like goes into result.json beside the plan, and nothing is published here.

--tarn-io sets properties of Iceberg's file access, such as s3.endpoint=http://localhost:9000.

A plan can be shared out to several job runs. With --tarn-only each makes some of its tables, from what others have left in
result-TABLE.json beside the plan, and leaves such files of its own; --tarn-late tests the checks that wait for all tables, in late.json.
"""

import argparse
import concurrent.futures
import http.server
import json
import os
import re
import secrets
import sys
import tempfile
import threading
import time
import traceback
import urllib.parse

CATALOG = "tarn"
SIDE_BY_SIDE = 3  # steps, or questions about a table
MOST_REST = 100_000  # of the rows that fail a check; as many as the engine in the process keeps


class Conflict(Exception):
    pass


class Tables:
    """The tables of the plan, by name, as their current Iceberg metadata. Commits change it and write no metadata files."""

    def __init__(self):
        self.lock = threading.Lock()
        self.tables = {}
        self.commits = 0

    def put(self, name, metadata):
        self.tables[name] = metadata

    def get(self, name):
        return self.tables.get(name)

    def commit(self, name, requirements, updates):
        with self.lock:
            meta = self.tables[name]
            for r in requirements:
                if r["type"] == "assert-ref-snapshot-id":
                    have = meta.get("refs", {}).get(r["ref"], {}).get("snapshot-id")
                    if have != r.get("snapshot-id"):
                        raise Conflict(f"{r['ref']} of {name} is at {have} and not at {r.get('snapshot-id')}")
            meta = json.loads(json.dumps(meta))
            for u in updates:
                self.apply(meta, u)
            self.tables[name] = meta
            self.commits += 1
            return meta

    @staticmethod
    def apply(meta, u):
        action = u["action"]
        if action == "add-snapshot":
            s = u["snapshot"]
            meta.setdefault("snapshots", []).append(s)
            meta["last-sequence-number"] = max(meta["last-sequence-number"], s["sequence-number"])
            meta["last-updated-ms"] = max(meta["last-updated-ms"], s["timestamp-ms"])
        elif action == "set-snapshot-ref":
            meta.setdefault("refs", {})[u["ref-name"]] = {"snapshot-id": u["snapshot-id"], "type": u["type"]}
            if u["ref-name"] == "main":
                meta["current-snapshot-id"] = u["snapshot-id"]
                meta.setdefault("snapshot-log", []).append({"snapshot-id": u["snapshot-id"], "timestamp-ms": meta["last-updated-ms"]})
        else:
            raise ValueError(f"a commit with {action} is not foreseen here")


def serve(tables, token):
    """Starts the catalog: as much of Iceberg's REST protocol as reading tables and appending to them needs."""

    class Handler(http.server.BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        # Answers are small, and each waits for the one before.
        disable_nagle_algorithm = True

        def log_message(self, *_):
            pass

        def answer(self, code, body):
            raw = json.dumps(body).encode()
            self.send_response(code)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(raw)))
            self.end_headers()
            self.wfile.write(raw)

        def refuse(self, code, kind, message):
            self.answer(code, {"error": {"message": message, "type": kind, "code": code}})

        def table(self):
            parts = [urllib.parse.unquote_plus(p) for p in urllib.parse.urlsplit(self.path).path.strip("/").split("/")]
            if len(parts) == 5 and parts[:2] == ["v1", "namespaces"] and parts[3] == "tables":
                return parts[4]
            return None

        def loaded(self, name, meta):
            # The file is not there. Its name has to be another one after each commit: by it Iceberg sees that something is new.
            self.answer(200, {"metadata-location": f"{meta['location']}/metadata/{tables.commits:05d}.metadata.json", "metadata": meta})

        def handle_one(self):
            length = int(self.headers.get("Content-Length") or 0)
            body = self.rfile.read(length)
            if not secrets.compare_digest(self.headers.get("x-tarn-token") or "", token):
                return self.refuse(401, "NotAuthorizedException", "another program's catalog")
            path = urllib.parse.urlsplit(self.path).path.strip("/")
            if path == "v1/config":
                return self.answer(200, {"defaults": {}, "overrides": {}})
            name = self.table()
            if name is None:
                return self.refuse(404, "NoSuchNamespaceException", "not served: " + path)
            meta = tables.get(name)
            if meta is None:
                return self.refuse(404, "NoSuchTableException", "no table " + name + " in the plan")
            if self.command == "GET":
                return self.loaded(name, meta)
            if self.command == "HEAD":
                self.send_response(204)
                self.end_headers()
                return None
            request = json.loads(body)
            try:
                meta = tables.commit(name, request.get("requirements", []), request["updates"])
            except Conflict as e:
                return self.refuse(409, "CommitFailedException", str(e))
            except Exception as e:
                return self.refuse(400, "BadRequestException", str(e))
            return self.loaded(name, meta)

        do_GET = do_POST = do_HEAD = handle_one

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return f"http://127.0.0.1:{server.server_address[1]}"


def session(uri, token, io):
    from pyspark.sql import SparkSession

    prefix = f"spark.sql.catalog.{CATALOG}"
    conf = {
        prefix: "org.apache.iceberg.spark.SparkCatalog",
        prefix + ".type": "rest",
        prefix + ".uri": uri,
        prefix + ".header.x-tarn-token": token,
        prefix + ".rest-metrics-reporting-enabled": "false",
    }
    for key, value in io.items():
        conf[f"{prefix}.{key}"] = value
    builder = SparkSession.builder.appName("tarn")
    for key, value in conf.items():
        builder = builder.config(key, value)
    spark = builder.getOrCreate()
    # Spark closes a batch's vectors after use since 3.5.4 (SPARK-50235), and Iceberg up to 1.7 goes on writing into them: wrong
    # values, or a crash. With other versions a target can say true.
    vectors = "spark.sql.iceberg.vectorization.enabled"
    if spark.conf.get(vectors, None) is None:
        spark.conf.set(vectors, "false")
    spark.sparkContext.setLogLevel("WARN")
    return spark


class Files:
    """Small files beside the plan, through Iceberg's own file access: it is what the tables are read with too."""

    def __init__(self, spark, io):
        jvm, conf = spark._jvm, spark._jsparkSession.sessionState().newHadoopConf()
        self.spark, self.jvm = spark, jvm
        # Hadoop's checksum files beside those of a local warehouse would stay when these go.
        jvm.org.apache.hadoop.fs.FileSystem.get(jvm.java.net.URI.create("file:///"), conf).setWriteChecksum(False)
        self.io = jvm.org.apache.iceberg.io.ResolvingFileIO()
        self.io.setConf(conf)
        props = jvm.java.util.HashMap()
        for key, value in io.items():
            props.put(key, value)
        self.io.initialize(props)

    def read(self, location):
        stream = self.io.newInputFile(location).newStream()
        try:
            return bytes(stream.readAllBytes())
        finally:
            stream.close()

    def copy(self, location, path):
        """Copies a file to this machine."""
        stream = self.io.newInputFile(location).newStream()
        try:
            files = self.jvm.java.nio.file
            files.Files.copy(stream, files.FileSystems.getDefault().getPath(path, self.spark.sparkContext._gateway.new_array(self.jvm.java.lang.String, 0)),
                             self.spark.sparkContext._gateway.new_array(self.jvm.java.nio.file.CopyOption, 0))
        finally:
            stream.close()

    def write(self, location, content):
        stream = self.io.newOutputFile(location).createOrOverwrite()
        # py4j passes a piece at a time.
        for at in range(0, len(content), 1 << 22):
            stream.write(bytearray(content[at : at + (1 << 22)]))
        stream.close()


class Progress:
    """Tells from time to time how far the work is, in progress.json beside the plan."""

    def __init__(self, spark, files, at, every):
        self.spark, self.files, self.at, self.every = spark, files, at, every
        self.steps, self.now, self.told, self.read = [], None, None, {}
        self.stop = threading.Event()
        self.thread = threading.Thread(target=self.run, daemon=True)
        self.thread.start()

    def begin(self, table, phase):
        self.now = {"table": table, "phase": phase}

    def finish(self, table, rows):
        self.steps.append({"table": table, "rows": rows})

    def state(self):
        tracker, done, total = self.spark.sparkContext.statusTracker(), 0, 0
        for stage in tracker.getActiveStageIds():
            info = tracker.getStageInfo(stage)
            if info:
                done, total = done + info.numCompletedTasks, total + info.numTasks
        return {"application": self.spark.sparkContext.applicationId, "now": self.now, "done": done, "total": total, "finished": list(self.steps),
                "read": {table: n.value for table, n in self.read.items()}}

    def run(self):
        while not self.stop.wait(self.every):
            if not self.tell():
                return

    def tell(self):
        try:
            state = json.dumps(self.state()).encode()
            if state != self.told:
                self.files.write(self.at, state)
                self.told = state
            return True
        except Exception:
            # That progress cannot be told stops no work.
            return False

    def close(self):
        """Tells how it ended, as jobs can be shorter than the time between."""
        self.stop.set()
        self.thread.join()
        self.tell()


def quote(name):
    return "`" + name.replace("`", "``") + "`"


class Wrong(Exception):
    """An error of one step, with the place in its SQL where Spark knows it."""

    def __init__(self, table, what, cause):
        super().__init__(str(cause))
        self.table, self.what, self.cause = table, what, cause

    def report(self):
        out = {"table": self.table, "what": self.what, "message": first_line(str(self.cause)), "class": "", "start": -1, "end": -1}
        java = getattr(self.cause, "_origin", None) or getattr(self.cause, "java_exception", None)
        while java is not None:
            try:
                out["class"] = out["class"] or java.getErrorClass() or ""
                contexts = java.getQueryContext()
                if len(contexts):
                    out["start"], out["end"] = contexts[0].startIndex(), contexts[0].stopIndex() + 1
            except Exception:
                # No exception of Spark's own.
                pass
            if out["class"]:
                out["message"] = first_line(java.getMessage())
                break
            java = java.getCause()
        return out


def first_line(text):
    """The message without the stack traces and plans that Spark appends."""
    text = re.split(r"\n== SQL|\n\tat |;\n'|JVM stacktrace", text or "")[0].strip()
    return text[:2000]


def worker(program, in_place, args, read):
    """A function that does a batch on the machine that it is called on."""

    def work(batch):
        import json
        import os
        import subprocess
        import sys

        from pyspark import SparkFiles

        path = program
        if not in_place:
            path = SparkFiles.get(program)
            os.chmod(path, 0o755)
        # The worker ends when its standard input does, as it does when Spark ends this process. Its copies go where Spark tidies
        # up, should it be killed.
        p = subprocess.Popen([path, "worker", "--attached", *args, batch["location"]], stdin=subprocess.PIPE, stdout=subprocess.DEVNULL,
                             stderr=subprocess.PIPE, env={**os.environ, "TMPDIR": SparkFiles.getRootDirectory()})
        told = p.stderr.read().decode(errors="replace")
        p.stdin.close()
        code = p.wait()
        sys.stderr.write(told)
        if code:
            message = told.strip()[-2000:] or f"the worker ended with {code}"
            raise RuntimeError("tarn-worker " + json.dumps({"table": batch["table"], "message": message}))
        read[batch["table"]].add(batch["bytes"])

    return work


class Run:
    def __init__(self, spark, plan, tables, files, progress):
        self.spark, self.plan, self.tables, self.files, self.progress = spark, plan, tables, files, progress
        self.place = plan["place"]

    def all(self):
        if self.plan.get("load"):
            self.load(self.plan["load"])
        return {"steps": self.steps(self.plan["steps"]), "late": self.late()}

    def only(self, names):
        """Makes some tables from what other job runs have made of those that they read."""
        steps = [s for s in self.plan["steps"] if s["table"] in names]
        unknown = set(names) - {s["table"] for s in steps}
        if unknown:
            raise ValueError(f"the plan does not make {', '.join(sorted(unknown))}")
        before, todo = [], [t for s in steps for t in s["after"]]
        by_name = {s["table"]: s for s in self.plan["steps"]}
        while todo:
            table = todo.pop()
            if table not in names and table not in before:
                before.append(table)
                todo += by_name[table]["after"]
        self.take(before)
        return {"steps": self.steps([{**s, "after": [t for t in s["after"] if t in names]} for s in steps]), "late": []}

    def rest(self):
        """Tests what waits for all tables, when other job runs have made them."""
        self.take([s["table"] for s in self.plan["steps"]])
        return {"steps": [], "late": self.late()}

    def take(self, names):
        """Takes tables as other job runs have left them."""
        by_name = {s["table"]: s for s in self.plan["steps"]}
        for table in names:
            try:
                made = json.loads(self.files.read(self.place + part_file(table)))
            except Exception as e:
                raise Wrong(table, "model", ValueError(f"no other job run has made {table}, which is read here: {first_line(str(e))}")) from e
            if "error" in made:
                raise Wrong(table, made["error"]["what"], ValueError(made["error"]["message"]))
            for step in made["steps"]:
                # One that only had its checks tested is as it was.
                if step["table"] == table and step["snapshot"] and by_name[table].get("sql"):
                    self.tables.commit(table, [], [{"action": "add-snapshot", "snapshot": step["snapshot"]},
                                                   {"action": "set-snapshot-ref", "ref-name": "main", "type": "branch", "snapshot-id": step["snapshot"]["snapshot-id"]}])

    def late(self):
        out = []
        for s in self.plan["late"]:
            self.progress.begin(s["table"], "check")
            out.append({"table": s["table"], "checks": [self.check(s["table"], c) for c in s["checks"]]})
        return out

    def steps(self, steps):
        """Works steps off, independent ones side by side, and asks what is asked of a table while the next ones are made.

        Between its jobs Spark plans in one thread, and small jobs have one task, so that one thing alone leaves most cores idle.
        """
        by_name, after = {s["table"]: s for s in steps}, {s["table"]: set(s["after"]) for s in steps}
        session = self.spark._jsparkSession
        # Spark finds a session's settings, catalogs among them, by the thread.
        pool = concurrent.futures.ThreadPoolExecutor(SIDE_BY_SIDE, initializer=lambda: session.setActiveSession(session))
        running, answers, open_questions = {}, {}, {}

        def begin_ready():
            for name in [n for n, tables in after.items() if not tables]:
                del after[name]
                running[pool.submit(self.build, by_name[name])] = name

        try:
            begin_ready()
            while running:
                for done in concurrent.futures.wait(running, return_when=concurrent.futures.FIRST_COMPLETED).done:
                    name, out = running.pop(done), done.result()
                    if name not in answers:
                        answers[name] = out
                        for tables in after.values():
                            tables.discard(name)
                        begin_ready()
                        questions = self.questions(by_name[name], out)
                        open_questions[name] = len(questions)
                        running.update((pool.submit(q), name) for q in questions)
                    else:
                        open_questions[name] -= 1
                    if open_questions[name] == 0:
                        self.progress.finish(name, answers[name]["rows"])
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            # What is under way writes no more when this ends, and may be between two jobs of Spark.
            while running and concurrent.futures.wait(running, timeout=0.2).not_done:
                self.spark.sparkContext.cancelAllJobs()
            raise
        pool.shutdown()
        for out in answers.values():
            out["checks"] = out.pop("row_checks") + out["checks"]
            out["seconds"] = sum(out.pop("spent"))
        return [answers[s["table"]] for s in steps]

    def load(self, asks):
        """Lets tarn read landing files on Spark's machines, a batch for each task. What it finds lies beside the batches then."""
        context, batches = self.spark.sparkContext, asks["batches"]
        read = {b["table"]: context.accumulator(0) for b in batches}
        self.progress.read = read
        self.progress.begin(batches[0]["table"], "load")
        program = asks["worker"]
        if not asks["in_place"]:
            program = program.rsplit("/", 1)[1]
            # Spark's own file access may not know the store, and Iceberg's does.
            path = os.path.join(tempfile.mkdtemp(), program)
            self.files.copy(asks["worker"], path)
            context.addFile(path)
        # Sent to the tasks as it is; they find nothing else of this file.
        work = worker(program, asks["in_place"], asks["args"], read)
        try:
            context.parallelize(batches, len(batches)).foreach(work)
        except Exception as e:
            told = re.search(r"tarn-worker (\{.*\})", str(e))
            if not told:
                raise
            failed = json.loads(told[1])
            raise Wrong(failed["table"], "load", ValueError(failed["message"])) from e

    def name(self, table):
        return f"{CATALOG}.{quote(self.plan['database'])}.{quote(table)}"

    def sql(self, table, what, text):
        try:
            return self.spark.sql(text)
        except Exception as e:
            raise Wrong(table, what, e) from e

    def rows(self, table, what, text):
        try:
            return self.spark.sql(text).collect()
        except Exception as e:
            raise Wrong(table, what, e) from e

    def build(self, s):
        """Does what others wait for: the rows of a step's table."""
        table, begin = s["table"], time.time()
        out = {"table": table, "before": None, "row_checks": None, "aside": []}
        if s.get("sql"):
            self.progress.begin(table, "build")
            self.write(table, "model", self.shaped(table, self.sql(table, "model", s["sql"]), s["columns"]))
        out["made"] = self.count(table)
        if s.get("sql") and any(c.get("good") and c["on_fail"] in ("drop", "quarantine") for c in s["checks"]):
            self.progress.begin(table, "check")
            out["row_checks"] = self.row_checks(s)
            out["aside"] = self.put_aside(s, out)
        out["rows"] = self.count(table)
        out["snapshot"] = self.snapshot(table)
        out["spent"] = [time.time() - begin]
        return out

    def questions(self, s, out):
        """What is left to ask of a table that stays as it is now: checks, and the account of its rows."""
        table, others = s["table"], [c for c in s["checks"] if not c.get("good")]
        out["checks"], out["ledger"] = [None] * len(others), None

        def timed(question):
            def ask():
                begin = time.time()
                if s["checks"]:
                    self.progress.begin(table, "check")
                question()
                out["spent"].append(time.time() - begin)

            return ask

        def judge_rows():
            out["row_checks"] = self.row_checks(s)

        def check(i):
            def judge():
                out["checks"][i] = self.check(table, others[i])

            return judge

        def account():
            out["ledger"] = self.ledger(table, s.get("ledger"))

        asked = [judge_rows] if out["row_checks"] is None else []
        return [timed(q) for q in [*asked, *(check(i) for i in range(len(others))), account]]

    def shaped(self, table, frame, columns):
        """The rows with the plan's column names and types. Only what keeps every value is converted."""
        from pyspark.sql import functions as F

        if len(frame.columns) != len(columns):
            raise Wrong(table, "model", ValueError(f"the SELECT has {len(frame.columns)} columns, expected {len(columns)}"))
        frame = frame.toDF(*[c["name"] for c in columns])
        want = self.spark.table(self.name(table)).schema
        out = []
        for have, field in zip(frame.schema.fields, want.fields):
            column = F.col(quote(have.name))
            if have.dataType != field.dataType:
                if not keeps(have.dataType, field.dataType):
                    raise Wrong(table, "model", ValueError(f"column {have.name} is {have.dataType.simpleString()} on Spark, "
                                                           f"which does not go into {field.dataType.simpleString()} unchanged"))
                column = column.cast(field.dataType).alias(have.name)
            out.append(column)
        return frame.select(*out)

    def write(self, table, what, frame):
        try:
            frame.writeTo(self.name(table)).append()
        except Exception as e:
            raise Wrong(table, what, e) from e

    def snapshot(self, table):
        meta = self.tables.get(table)
        for s in meta.get("snapshots", []):
            if s["snapshot-id"] == meta.get("current-snapshot-id"):
                return s
        return None

    def count(self, table):
        s = self.snapshot(table)
        if s is None:
            return 0
        if "total-records" in s["summary"] and s["summary"].get("total-delete-files", "0") == "0":
            return int(s["summary"]["total-records"])
        return self.spark.table(self.name(table)).count()

    def full(self, table, columns):
        """Whether the statistics of all data files say that the columns have no nulls."""
        loaded = self.spark._jsparkSession.sessionState().catalogManager().catalog(CATALOG).icebergCatalog().loadTable(
            self.spark._jvm.org.apache.iceberg.catalog.TableIdentifier.of(self.array(self.plan["database"], table)))
        schema = loaded.schema()
        ids = [schema.caseInsensitiveFindField(c).fieldId() for c in columns]
        scan = loaded.newScan().includeColumnStats().planFiles()
        try:
            files = scan.iterator()
            while files.hasNext():
                nulls = files.next().file().nullValueCounts()
                for i in ids:
                    if nulls is None or nulls.get(i) != 0:
                        return False
            return True
        finally:
            scan.close()

    def array(self, *texts):
        out = self.spark.sparkContext._gateway.new_array(self.spark._jvm.java.lang.String, len(texts))
        for i, t in enumerate(texts):
            out[i] = t
        return out

    def row_checks(self, s):
        """Judges each row by all checks of rows, in one pass over the table as far as that goes."""
        table, begin, checks = s["table"], time.time(), [c for c in s["checks"] if c.get("good")]
        failing, asked = {}, []
        for i, c in enumerate(checks):
            if c.get("full") and self.full(table, c["full"]):
                failing[i] = 0
            elif c.get("aggregate"):
                asked.append(i)
            else:
                failing[i] = self.rows(table, c["name"], c["count"])[0][0]
        if asked:
            alias = f" FROM {s['rows']} AS {quote(table)}"
            texts = [checks[i]["aggregate"] for i in asked]
            try:
                counts = self.spark.sql("SELECT " + ", ".join(texts) + alias).collect()[0]
            except Exception:
                # One of them is wrong; asking for each alone tells which.
                counts = [self.rows(table, checks[i]["name"], "SELECT " + checks[i]["aggregate"] + alias)[0][0] for i in asked]
            for i, n in zip(asked, counts):
                failing[i] = n
        seconds = (time.time() - begin) / max(1, len(checks))
        out = []
        for i, c in enumerate(checks):
            r = {"name": c["name"], "failing": failing[i], "seconds": seconds}
            self.explain(table, c, r)
            out.append(r)
        return out

    def check(self, table, c):
        begin = time.time()
        r = {"name": c["name"], "failing": 0}
        if c.get("newest"):
            value = self.rows(table, c["name"], c["newest"])[0][0]
            r["newest"] = None if value is None else value.isoformat()
        elif c.get("count"):
            r["failing"] = self.rows(table, c["name"], c["count"])[0][0]
        self.explain(table, c, r)
        r["seconds"] = time.time() - begin
        return r

    def explain(self, table, c, r):
        """Keeps some rows that fail: a few to show, and many where the check stops the publish."""
        if not r["failing"] or not c.get("failing"):
            return
        stops = c["on_fail"] == "fail"
        text = c.get("traced") if stops and c.get("traced") else c["failing"]
        try:
            lines = self.lines(table, c["name"], text, MOST_REST if stops else 5)
        except Wrong as e:
            if stops and text != c["failing"]:
                lines = self.lines(table, c["name"], c["failing"], MOST_REST)
            else:
                raise e
        r["sample"] = lines[:5]
        if stops:
            r["rest"] = f"failed/{table}.{len(r['name'])}.{secrets.token_hex(4)}.json"
            self.files.write(self.place + r["rest"], "".join(line + "\n" for line in lines).encode())

    def lines(self, table, what, text, most):
        from pyspark.sql import functions as F

        frame = self.sql(table, what, text).limit(most)
        if not frame.columns:
            return []
        options = {"ignoreNullFields": "false", "timestampNTZFormat": "yyyy-MM-dd HH:mm:ss[.SSSSSS]", "timestampFormat": "yyyy-MM-dd HH:mm:ss[.SSSSSS]XXX"}
        try:
            return [r[0] for r in frame.select(F.to_json(F.struct(*[F.col(quote(n)) for n in frame.columns]), options)).collect()]
        except Exception as e:
            raise Wrong(table, what, e) from e

    def put_aside(self, s, out):
        """Takes out the rows that a check drops or quarantines; a row counts for the first check that it fails."""
        table, keep, aside = s["table"], "true", []
        for c, r in zip([c for c in s["checks"] if c.get("good")], out["row_checks"]):
            if not r["failing"] or c["on_fail"] not in ("drop", "quarantine"):
                continue
            where = f"NOT {c['good']} AND {keep}"
            source = f"FROM {s['rows']} AS {quote(table)} WHERE {where}"
            if c["on_fail"] == "quarantine":
                self.write(c["aside"], c["name"], self.shaped(c["aside"], self.sql(table, c["name"], "SELECT * " + source), s["columns"]))
                aside.append({"check": c["name"], "rows": self.count(c["aside"]), "snapshot": self.snapshot(c["aside"])})
            else:
                aside.append({"check": c["name"], "rows": self.rows(table, c["name"], "SELECT count(*) " + source)[0][0], "snapshot": None})
            keep += f" AND {c['good']}"
        if aside:
            from pyspark.sql import functions as F

            out["before"] = self.snapshot(table)
            frame = self.shaped(table, self.sql(table, "model", f"SELECT * FROM {s['rows']} AS {quote(table)} WHERE {keep}"), s["columns"])
            try:
                frame.writeTo(self.name(table)).overwrite(F.lit(True))
            except Exception as e:
                raise Wrong(table, "model", e) from e
        return aside

    def ledger(self, table, asks):
        if not asks:
            return None
        single = 0
        for text in asks["uniques"]:
            if not text or not self.rows(table, "ledger", text)[0][0]:
                break
            single += 1
        return {"single": single, "counts": list(self.rows(table, "ledger", asks["counts"][single])[0])}


def keeps(have, want):
    """Whether every value of one Spark type is one of another."""
    from pyspark.sql import types as T

    whole = [T.ByteType, T.ShortType, T.IntegerType, T.LongType]
    if type(have) in whole and type(want) in whole:
        return whole.index(type(have)) <= whole.index(type(want))
    if isinstance(have, T.FloatType) and isinstance(want, T.DoubleType):
        return True
    if isinstance(have, T.DecimalType) and isinstance(want, T.DecimalType):
        return have.scale <= want.scale and have.precision - have.scale <= want.precision - want.scale
    if isinstance(have, T.TimestampType) and isinstance(want, T.TimestampNTZType):
        # The session is in UTC.
        return True
    if isinstance(have, (T.StringType, T.VarcharType, T.CharType)) and isinstance(want, T.StringType):
        return True
    return False


def part_file(table):
    return f"result-{table}.json"


def parts(result, names, late):
    """The files that a result goes into: one, or one for each table where other job runs make the others."""
    if not names:
        return [("late.json" if late else "result.json", result)]
    if "error" in result:
        # The table that has failed has its error; of the others of this job run nothing counts either.
        return [(part_file(n), result) for n in names]
    return [(part_file(s["table"]), {**result, "steps": [s]}) for s in result["steps"]]


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--tarn-plan", required=True)
    parser.add_argument("--tarn-io", default="")
    parser.add_argument("--tarn-only", default="")
    parser.add_argument("--tarn-late", default="")
    # AWS Glue adds arguments of its own.
    args, _ = parser.parse_known_args()
    io = dict(p.split("=", 1) for p in args.tarn_io.split(",") if p)
    tables, token = Tables(), secrets.token_urlsafe(24)
    spark = session(serve(tables, token), token, io)
    files = Files(spark, io)
    plan = json.loads(files.read(args.tarn_plan))
    if plan["format"] != 1:
        sys.exit(f"this runner knows plans of format 1, not {plan['format']}")
    for key, value in plan["settings"]:
        spark.conf.set(key, value)
    for t in plan["tables"]:
        tables.put(t["name"], t["metadata"])
    names = [n for n in args.tarn_only.split(",") if n]
    part = "-" + "-".join(names) if names else "-late" if args.tarn_late else ""
    progress = Progress(spark, files, plan["place"] + f"progress{part}.json", plan["tell_every"])
    result = {"run": plan["run"], "spark": spark.version}
    try:
        run = Run(spark, plan, tables, files, progress)
        result.update(run.only(names) if names else run.rest() if args.tarn_late else run.all())
    except Wrong as e:
        result["error"] = e.report()
        traceback.print_exc()
    except Exception as e:
        result["error"] = {"table": "", "what": "", "message": first_line(str(e)) or type(e).__name__, "class": type(e).__name__, "start": -1, "end": -1}
        traceback.print_exc()
    progress.close()
    for name, content in parts(result, names, args.tarn_late):
        files.write(plan["place"] + name, json.dumps(content).encode())
    spark.stop()
    if "error" in result:
        sys.exit(1)


if __name__ == "__main__":
    main()
