package doctor

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/glue"
	gluetypes "github.com/aws/aws-sdk-go-v2/service/glue/types"
	"github.com/aws/aws-sdk-go-v2/service/lakeformation"
	"github.com/aws/aws-sdk-go-v2/service/lakeformation/types"

	"tarn/internal/awsconf"
	"tarn/internal/project"
	"tarn/internal/rights"
)

// anybody is the group by which Lake Formation leaves a database or table to IAM (AWS Lake Formation Developer Guide, "Changing the
// default settings for your data lake").
const anybody = "IAM_ALLOWED_PRINCIPALS"

// asking bounds what is asked beside the lake itself.
const asking = 10 * time.Second

// formation looks whether Lake Formation governs the lake's database, and tells the grants that are missing. It reports whether it does;
// what it may not see counts as no.
func (x *examination) formation(ctx context.Context, p *project.Lake) bool {
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
	var id *string
	if p.Config.CatalogID != "" {
		id = &p.Config.CatalogID
	}
	out, err := glue.NewFromConfig(cfg).GetDatabase(ctx, &glue.GetDatabaseInput{Name: &p.Config.Stored, CatalogId: id})
	var missing *gluetypes.EntityNotFoundException
	switch {
	case errors.As(err, &missing):
		return false
	case err != nil:
		x.good("formation", "whether Lake Formation governs %s could not be asked (%s), which alone does no harm", p.Config.Stored, reason(err))
		return false
	}
	if len(out.Database.CreateTableDefaultPermissions) > 0 && slices.ContainsFunc(out.Database.CreateTableDefaultPermissions, func(d gluetypes.PrincipalPermissions) bool {
		return d.Principal != nil && aws.ToString(d.Principal.DataLakePrincipalIdentifier) == anybody
	}) {
		x.good("formation", "new tables of %s are left to IAM", p.Config.Stored)
		return false
	}
	g := governed{client: lakeformation.NewFromConfig(cfg), catalog: id, places: placesOf(p)}
	x.grants(ctx, p, &g)
	return true
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

// governed is a database that Lake Formation governs.
type governed struct {
	client  *lakeformation.Client
	catalog *string
	places  rights.Places
}

// grants tells which grants this process lacks, and which the roles of a stack would.
func (x *examination) grants(ctx context.Context, p *project.Lake, g *governed) {
	me := roleOf(x.who)
	needed := rights.Grants(rights.Laptop, g.places)
	for i := range needed {
		needed[i].Location = strings.Replace(needed[i].Location, "${AWS::Partition}", partition(me), 1)
	}
	have, err := g.granted(ctx, me)
	if err != nil {
		x.add(Finding{What: "formation", State: Poor, Text: fmt.Sprintf("Lake Formation governs new tables of %s, and which grants there are could not be asked (%s)", p.Config.Stored, reason(err)),
			Fix: "these are needed to run: " + commands(needed, principal(me))})
		return
	}
	if admin, err := g.admin(ctx, me); err == nil && admin {
		x.good("formation", "Lake Formation governs new tables of %s, and these credentials administer it", p.Config.Stored)
		return
	}
	registered, err := g.registered(ctx)
	if err != nil {
		registered = nil // then no location is told, as most are not registered
	}
	var lacking []rights.Grant
	for _, want := range needed {
		if want.Location != "" && !slices.ContainsFunc(registered, func(r string) bool { return strings.HasPrefix(want.Location+"/", strings.TrimSuffix(r, "/")+"/") }) {
			continue // the right to a location is asked for where that is registered
		}
		if !have.covers(want) {
			lacking = append(lacking, want)
		}
	}
	if len(lacking) > 0 {
		x.add(Finding{What: "formation", State: Poor, Text: fmt.Sprintf("Lake Formation governs new tables of %s, and %s lacks grants for runs", p.Config.Stored, principal(me)),
			Fix: "an administrator of Lake Formation gives them: " + commands(lacking, principal(me))})
		return
	}
	x.good("formation", "Lake Formation governs new tables of %s, and %s has the grants for runs; readers need SELECT and DESCRIBE on their tables, and ask Athena", p.Config.Stored, principal(me))
}

// partition is the part of AWS that an ARN is in, such as aws or aws-cn.
func partition(arn string) string {
	if parts := strings.SplitN(arn, ":", 3); len(parts) == 3 {
		return parts[1]
	}
	return "aws"
}

func principal(arn string) string {
	if arn == "" {
		return "ARN"
	}
	return arn
}

func commands(list []rights.Grant, who string) string {
	var out []string
	for _, g := range list {
		out = append(out, "`"+g.Command(who)+"`")
	}
	return strings.Join(out, "; ")
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

// grants that a principal has, by what they are on.
type grants []rights.Grant

// covers reports whether all that is wanted is granted, on the same thing or on all tables.
func (have grants) covers(want rights.Grant) bool {
	for _, permission := range want.Permissions {
		if !slices.ContainsFunc(have, func(g rights.Grant) bool {
			same := g.Location == want.Location && g.Database == want.Database && (g.Table == want.Table || g.Table == "*" && want.Table != "")
			return same && (slices.Contains(g.Permissions, permission) || slices.Contains(g.Permissions, "ALL"))
		}) {
			return false
		}
	}
	return true
}

// granted lists what a principal was granted on the database, its tables and places.
func (g *governed) granted(ctx context.Context, who string) (grants, error) {
	var out grants
	in := &lakeformation.ListPermissionsInput{CatalogId: g.catalog, Principal: &types.DataLakePrincipal{DataLakePrincipalIdentifier: &who}}
	for pages := lakeformation.NewListPermissionsPaginator(g.client, in); pages.HasMorePages(); {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return nil, err
		}
		for _, e := range page.PrincipalResourcePermissions {
			one := rights.Grant{}
			for _, permission := range e.Permissions {
				one.Permissions = append(one.Permissions, string(permission))
			}
			switch r := e.Resource; {
			case r == nil:
				continue
			case r.Database != nil:
				one.Database = aws.ToString(r.Database.Name)
			case r.Table != nil:
				one.Database, one.Table = aws.ToString(r.Table.DatabaseName), aws.ToString(r.Table.Name)
				if r.Table.TableWildcard != nil {
					one.Table = "*"
				}
			case r.DataLocation != nil:
				one.Location = aws.ToString(r.DataLocation.ResourceArn)
			}
			out = append(out, one)
		}
	}
	return out, nil
}

// admin reports whether a principal may do everything.
func (g *governed) admin(ctx context.Context, who string) (bool, error) {
	out, err := g.client.GetDataLakeSettings(ctx, &lakeformation.GetDataLakeSettingsInput{CatalogId: g.catalog})
	if err != nil {
		return false, err
	}
	return out.DataLakeSettings != nil && slices.ContainsFunc(out.DataLakeSettings.DataLakeAdmins, func(p types.DataLakePrincipal) bool {
		return aws.ToString(p.DataLakePrincipalIdentifier) == who
	}), nil
}

// registered lists the places that Lake Formation gives files of, as ARNs.
func (g *governed) registered(ctx context.Context) ([]string, error) {
	var out []string
	for pages := lakeformation.NewListResourcesPaginator(g.client, &lakeformation.ListResourcesInput{}); pages.HasMorePages(); {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return nil, err
		}
		for _, r := range page.ResourceInfoList {
			out = append(out, aws.ToString(r.ResourceArn))
		}
	}
	return out, nil
}

// reason says why AWS gave no answer, in a word.
func reason(err error) string {
	if c := code(err); c != "" {
		return c
	}
	return "no answer"
}
