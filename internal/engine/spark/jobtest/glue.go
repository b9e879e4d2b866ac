package jobtest

import "strings"

// glueCalls are Glue's operations about jobs.
var glueCalls = map[string]func(s *Server, in object) (object, *refusal){
	"CreateJob":       (*Server).glueCreate,
	"GetJob":          (*Server).glueJob,
	"StartJobRun":     (*Server).glueStart,
	"GetJobRun":       (*Server).glueGet,
	"GetJobRuns":      (*Server).glueList,
	"BatchStopJobRun": (*Server).glueStop,
}

func (s *Server) glueCreate(in object) (object, *refusal) {
	name := text(in, "Name")
	command, _ := in["Command"].(object)
	if name == "" || text(in, "Role") == "" || text(command, "ScriptLocation") == "" || text(in, "GlueVersion") == "" {
		return nil, &refusal{"InvalidInputException", "a job needs a name, a role, a version and a script"}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.Jobs == nil {
		s.Jobs = map[string]bool{}
	}
	s.Jobs[name] = true
	return object{"Name": name}, nil
}

func (s *Server) glueJob(in object) (object, *refusal) {
	name := text(in, "JobName")
	if no := s.there(name); no != nil {
		return nil, no
	}
	return object{"Job": object{"Name": name, "GlueVersion": "5.0", "WorkerType": "G.1X", "NumberOfWorkers": 2}}, nil
}

func (s *Server) glueStart(in object) (object, *refusal) {
	job := text(in, "JobName")
	if no := s.there(job); no != nil {
		return nil, no
	}
	s.mu.Lock()
	running := 0
	for _, r := range s.runs {
		if r.Job == job && r.state == "RUNNING" {
			running++
		}
		if running > s.MoreRuns {
			s.mu.Unlock()
			return nil, &refusal{"ConcurrentRunsExceededException", "Concurrent runs exceeded for " + job}
		}
	}
	s.mu.Unlock()
	r := &Run{Job: job, arguments: map[string]string{}}
	given, _ := in["Arguments"].(object)
	for key, value := range given {
		v, _ := value.(string)
		r.arguments[key] = v
		switch key {
		case "--scriptLocation":
			r.Script = v
		case "--conf":
			r.Conf = strings.Split(v, " --conf ")
		case "--tarn-plan", "--tarn-io", "--tarn-only", "--tarn-late":
			r.Args = append(r.Args, key, v)
		}
	}
	return object{"JobRunId": s.start(r).ID}, nil
}

func (s *Server) glueGet(in object) (object, *refusal) {
	r, no := s.find(text(in, "JobName"), text(in, "RunId"))
	if no != nil {
		return nil, no
	}
	return object{"JobRun": s.shown(r)}, nil
}

func (s *Server) shown(r *Run) object {
	s.mu.Lock()
	defer s.mu.Unlock()
	return object{"Id": r.ID, "JobName": r.Job, "JobRunState": r.state, "ErrorMessage": r.message, "Arguments": r.arguments, "LogGroupName": "/aws-glue/jobs"}
}

func (s *Server) glueList(in object) (object, *refusal) {
	job := text(in, "JobName")
	if no := s.there(job); no != nil {
		return nil, no
	}
	s.mu.Lock()
	runs := append([]*Run{}, s.runs...)
	s.mu.Unlock()
	out := []object{}
	for _, r := range runs {
		if r.Job == job {
			out = append([]object{s.shown(r)}, out...)
		}
	}
	return object{"JobRuns": out}, nil
}

func (s *Server) glueStop(in object) (object, *refusal) {
	ids, _ := in["JobRunIds"].([]any)
	for _, id := range ids {
		name, _ := id.(string)
		r, no := s.find(text(in, "JobName"), name)
		if no != nil {
			return nil, no
		}
		r.cancel()
	}
	return object{"SuccessfulSubmissions": []object{}, "Errors": []object{}}, nil
}
