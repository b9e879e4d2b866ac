package doctor

import (
	"context"
	"fmt"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/servicequotas"

	"tarn/internal/awsconf"
	"tarn/internal/deployconf"
	"tarn/internal/project"
)

// quota is one of an account and region that a stack can run into, by the name that Service Quotas has for it.
type quota struct {
	service, name string
	// least is what a stack needs of it.
	least float64
	why   string
}

// dpus are the data processing units of a worker (AWS Glue Developer Guide, "Worker types").
var dpus = map[string]float64{"G.025X": 0.25, "G.1X": 1, "G.2X": 2, "G.4X": 4, "G.8X": 8, "G.12X": 12, "G.16X": 16, "R.1X": 1, "R.2X": 2, "R.4X": 4, "R.8X": 8, "Z.2X": 2}

// quotasOf are those of a stack with these settings.
func quotasOf(s deployconf.Settings) []quota {
	// Two invocations for the queue, one for the state machine, and room for those that wait to be tried again.
	out := []quota{{"lambda", "Concurrent executions", 5, "the function takes in events twice at a time, and runs beside"}}
	if !s.Job.Off && s.Engine != deployconf.Lambda {
		units := dpus[s.Job.WorkerType] * float64(s.Job.Workers)
		out = append(out, quota{"glue", "Max concurrent job runs per account", 1, "a run starts one job"},
			quota{"glue", "Max task DPUs per account", units, fmt.Sprintf("%d workers %s", s.Job.Workers, s.Job.WorkerType)})
	}
	return append(out, quota{"states", "Registered state machines", 1, "the stack has one"})
}

// quotas reads the account's quotas for what a target can deploy, and tells those that are too small.
func (x *examination) quotas(ctx context.Context, p *project.Lake) {
	if p.Config.Deployable() != nil {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, asking)
	defer cancel()
	cfg, err := awsconf.Load(ctx, p.Config.AWS)
	if err != nil {
		return // told of the account
	}
	cfg.RetryMaxAttempts = 2
	client := servicequotas.NewFromConfig(cfg)
	var fine []string
	read := map[string]map[string]float64{}
	small := false
	for _, q := range quotasOf(p.Config.Deploy) {
		if read[q.service] == nil {
			values, err := quotasRead(ctx, client, q.service)
			if err != nil {
				x.good("quotas", "those of the account could not be asked (%s), which alone does no harm", reason(err))
				return
			}
			read[q.service] = values
		}
		value, known := read[q.service][strings.ToLower(q.name)]
		switch {
		case !known:
			// Service Quotas has no value for it in every region.
		case value < q.least:
			small = true
			x.add(Finding{What: "quotas", State: Poor, Text: fmt.Sprintf("%s of %s is %g, and %s: that takes %g", q.name, serviceName[q.service], value, q.why, q.least),
				Fix: fmt.Sprintf("ask for more: console, Service Quotas, %s, %s", serviceName[q.service], q.name)})
		default:
			fine = append(fine, fmt.Sprintf("%s %s %g", serviceName[q.service], strings.ToLower(q.name), value))
		}
	}
	if !small && len(fine) > 0 {
		x.good("quotas", "%s", strings.Join(fine, ", "))
	}
}

var serviceName = map[string]string{"lambda": "AWS Lambda", "glue": "AWS Glue", "states": "AWS Step Functions"}

// quotasRead gives the values of a service's quotas by their names in small letters.
func quotasRead(ctx context.Context, client *servicequotas.Client, service string) (map[string]float64, error) {
	out := map[string]float64{}
	for pages := servicequotas.NewListServiceQuotasPaginator(client, &servicequotas.ListServiceQuotasInput{ServiceCode: &service}); pages.HasMorePages(); {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return nil, err
		}
		for _, q := range page.Quotas {
			if q.Value != nil {
				out[strings.ToLower(aws.ToString(q.QuotaName))] = *q.Value
			}
		}
	}
	return out, nil
}
