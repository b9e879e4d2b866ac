package doctor

import (
	"context"
	"fmt"
	"strings"
	"time"

	"tarn/internal/awsconf"
	"tarn/internal/formation"
	"tarn/internal/project"
	"tarn/internal/rights"
)

// asking bounds what is asked beside the lake itself.
const asking = 10 * time.Second

// formation looks whether Lake Formation governs the lake's database, and tells the grants that an actor would need and this process
// lacks. It reports whether it does; what it may not see counts as no.
func (x *examination) formation(ctx context.Context, p *project.Lake, as rights.Actor) bool {
	if p.Config.Catalog != "glue" {
		return false
	}
	ctx, cancel := context.WithTimeout(ctx, asking)
	defer cancel()
	cfg, err := awsconf.Load(ctx, p.Config.AWS)
	if err != nil {
		return false // told of the account
	}
	cfg.RetryMaxAttempts = 2
	database := formation.Open(cfg, p.Config.Stored, p.Config.CatalogID)
	governed, there, err := database.Governed(ctx)
	switch {
	case err != nil:
		x.good("formation", "whether Lake Formation governs %s could not be asked (%s), which alone does no harm", p.Config.Stored, reason(err))
	case there && !governed:
		x.good("formation", "new tables of %s are left to IAM", p.Config.Stored)
	case there:
		x.grants(ctx, p, database, as)
		return true
	}
	return false
}

// placesOf are the places of a lake as far as grants are about them.
func placesOf(p *project.Lake) rights.Places {
	place := func(location string) rights.Place {
		bucket, prefix, _ := strings.Cut(strings.TrimPrefix(location, "s3://"), "/")
		if prefix = strings.TrimSuffix(prefix, "/"); prefix != "" {
			prefix += "/"
		}
		return rights.Place{Bucket: bucket, Prefix: prefix}
	}
	out := rights.Places{Database: p.Config.Stored, Warehouse: place(p.Config.Warehouse), Grant: p.Config.Deploy.Roles.Grant}
	for _, t := range p.Landing {
		if project.Remote(t.Dir) {
			out.Landing = append(out.Landing, place(t.Dir))
		}
		out.LandingTables = append(out.LandingTables, t.Name)
	}
	for _, m := range p.Models {
		out.Models = append(out.Models, rights.Table{Name: m.Name, Zone: m.Zone})
	}
	return out
}

// grants tells which grants this process lacks.
func (x *examination) grants(ctx context.Context, p *project.Lake, database *formation.Database, as rights.Actor) {
	me, what := roleOf(x.who), "run"
	if as != rights.Laptop {
		what = "read"
	}
	needed := formation.Needed(as, placesOf(p), formation.Partition(me))
	lacking, admin, err := database.Lacking(ctx, me, needed)
	governs := "Lake Formation governs new tables of " + p.Config.Stored
	switch {
	case err != nil && as != rights.Laptop:
		// Who reads need not see grants, and finds out by asking.
		x.good("formation", "%s, and which grants %s has could not be asked (%s), which alone does no harm; ask Athena", governs, principal(me), reason(err))
	case err != nil:
		x.add(Finding{What: "formation", State: Poor, Text: fmt.Sprintf("%s, and which grants there are could not be asked (%s)", governs, reason(err)),
			Fix: "these are needed to " + what + ": " + commands(needed, principal(me))})
	case admin:
		x.good("formation", "%s, and these credentials administer it", governs)
	case len(lacking) > 0:
		x.add(Finding{What: "formation", State: Poor, Text: fmt.Sprintf("%s, and %s lacks grants to %s", governs, principal(me), what),
			Fix: "an administrator of Lake Formation gives them: " + commands(lacking, principal(me))})
	case as == rights.Laptop:
		x.good("formation", "%s, and %s has the grants to run; readers need SELECT and DESCRIBE on their tables, and ask Athena", governs, principal(me))
	default:
		x.good("formation", "%s, and %s has the grants to read", governs, principal(me))
	}
}

func principal(arn string) string {
	if arn == "" {
		return "ARN"
	}
	return arn
}

func commands(list []rights.Grant, who string) string {
	return "`" + strings.Join(formation.Commands(list, who), "`; `") + "`"
}

// roleOf is the ARN that grants are made to, of who a process is for STS: of a session, its role (IAM User Guide, "IAM identifiers"). A
// path of the role is not in there.
func roleOf(caller string) string {
	rest, ok := strings.CutPrefix(strings.Replace(caller, ":sts:", ":iam:", 1), "arn:")
	before, session, assumed := strings.Cut(rest, ":assumed-role/")
	if !ok || !assumed {
		return caller
	}
	name, _, _ := strings.Cut(session, "/")
	return "arn:" + before + ":role/" + name
}

// reason says why AWS gave no answer, in a word.
func reason(err error) string {
	if c := code(err); c != "" {
		return c
	}
	return "no answer"
}
