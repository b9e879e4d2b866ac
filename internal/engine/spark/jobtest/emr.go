package jobtest

import (
	"net/http"
	"strings"
)

// emrStates are EMR's words for the states.
var emrStates = map[string]string{"RUNNING": "RUNNING", "STOPPED": "CANCELLED", "FAILED": "FAILED", "SUCCEEDED": "SUCCESS"}

// emr gives the operation of a call, by its method and path, and what does it.
func (s *Server) emr(method string, parts []string, in object) (string, func() (object, *refusal)) {
	application := parts[1]
	switch {
	case len(parts) == 2:
		return "GetApplication", func() (object, *refusal) {
			if no := s.there(application); no != nil {
				return nil, no
			}
			return object{"application": object{"applicationId": application, "arn": "arn", "releaseLabel": "emr-7.5.0", "state": "STARTED", "type": "Spark", "createdAt": 1, "updatedAt": 1}}, nil
		}
	case method == http.MethodPost:
		return "StartJobRun", func() (object, *refusal) { return s.emrStart(application, in) }
	case method == http.MethodGet && len(parts) == 3:
		return "ListJobRuns", func() (object, *refusal) { return s.emrList(application) }
	case method == http.MethodGet:
		return "GetJobRun", func() (object, *refusal) {
			r, no := s.find(application, parts[3])
			if no != nil {
				return nil, no
			}
			return object{"jobRun": s.emrShown(r)}, nil
		}
	}
	return "CancelJobRun", func() (object, *refusal) {
		r, no := s.find(application, parts[3])
		if no != nil {
			return nil, no
		}
		r.cancel()
		return object{"applicationId": application, "jobRunId": r.ID}, nil
	}
}

func (s *Server) emrStart(application string, in object) (object, *refusal) {
	if no := s.there(application); no != nil {
		return nil, no
	}
	driver, _ := in["jobDriver"].(object)
	submit, _ := driver["sparkSubmit"].(object)
	r := &Run{Job: application, Script: text(submit, "entryPoint"), token: text(in, "clientToken"), name: text(in, "name")}
	if r.token == "" || text(in, "executionRoleArn") == "" || r.Script == "" {
		return nil, &refusal{"ValidationException", "a job needs a token, a role and an entry point"}
	}
	args, _ := submit["entryPointArguments"].([]any)
	for _, a := range args {
		v, _ := a.(string)
		r.Args = append(r.Args, v)
	}
	words := strings.Fields(text(submit, "sparkSubmitParameters"))
	for i, w := range words {
		if w == "--conf" && i+1 < len(words) {
			r.Conf = append(r.Conf, words[i+1])
		}
	}
	started := s.start(r)
	return object{"applicationId": application, "jobRunId": started.ID, "arn": "arn:aws:emr-serverless:::/applications/" + application}, nil
}

func (s *Server) emrShown(r *Run) object {
	s.mu.Lock()
	defer s.mu.Unlock()
	return object{"applicationId": r.Job, "jobRunId": r.ID, "id": r.ID, "arn": "arn", "name": r.name, "state": emrStates[r.state], "stateDetails": r.message, "createdBy": "tests",
		"createdAt": 1, "updatedAt": 1, "executionRole": "arn", "releaseLabel": "emr-7.5.0", "jobDriver": object{"sparkSubmit": object{"entryPoint": r.Script}}}
}

func (s *Server) emrList(application string) (object, *refusal) {
	if no := s.there(application); no != nil {
		return nil, no
	}
	s.mu.Lock()
	runs := append([]*Run{}, s.runs...)
	s.mu.Unlock()
	out := []object{}
	for _, r := range runs {
		if r.Job == application {
			out = append([]object{s.emrShown(r)}, out...)
		}
	}
	return object{"jobRuns": out}, nil
}
