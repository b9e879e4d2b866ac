// Package formation asks AWS Lake Formation whether it governs a lake's database, and which grants a principal lacks there.
package formation

import (
	"context"
	"errors"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/glue"
	gluetypes "github.com/aws/aws-sdk-go-v2/service/glue/types"
	"github.com/aws/aws-sdk-go-v2/service/lakeformation"
	"github.com/aws/aws-sdk-go-v2/service/lakeformation/types"

	"tarn/internal/rights"
)

// anybody is the group by which Lake Formation leaves a database or table to IAM (AWS Lake Formation Developer Guide, "Changing the
// default settings for your data lake").
const anybody = "IAM_ALLOWED_PRINCIPALS"

// Database is one of the Glue Data Catalog.
type Database struct {
	client  *lakeformation.Client
	glue    *glue.Client
	catalog *string
	name    string
}

// Open gives a database by its name in the catalog of an account; catalog "" is that of the credentials. Nothing is asked yet.
func Open(cfg aws.Config, name, catalog string) *Database {
	d := &Database{client: lakeformation.NewFromConfig(cfg), glue: glue.NewFromConfig(cfg), name: name}
	if catalog != "" {
		d.catalog = &catalog
	}
	return d
}

// Governed reports whether Lake Formation governs new tables of the database, and whether there is such a database at all.
func (d *Database) Governed(ctx context.Context) (governed, there bool, err error) {
	out, err := d.glue.GetDatabase(ctx, &glue.GetDatabaseInput{Name: &d.name, CatalogId: d.catalog})
	var missing *gluetypes.EntityNotFoundException
	switch {
	case errors.As(err, &missing):
		return false, false, nil
	case err != nil:
		return false, false, err
	}
	return !slices.ContainsFunc(out.Database.CreateTableDefaultPermissions, func(p gluetypes.PrincipalPermissions) bool {
		return p.Principal != nil && aws.ToString(p.Principal.DataLakePrincipalIdentifier) == anybody
	}), true, nil
}

// Lacking gives those of the needed grants that a principal, an ARN, has not: neither on the thing itself, nor on all tables, nor by tags
// (LF-tags). Who administers the data lake lacks none. The right to a location is needed where that is registered only.
func (d *Database) Lacking(ctx context.Context, principal string, needed []rights.Grant) (lacking []rights.Grant, admin bool, err error) {
	have, err := d.granted(ctx, principal)
	if err != nil {
		return nil, false, err
	}
	if admin, err := d.admin(ctx, principal); err == nil && admin {
		return nil, true, nil
	}
	registered, err := d.registered(ctx)
	if err != nil {
		registered = nil // then no location is told, as most are not registered
	}
	for _, want := range needed {
		if want.Location != "" && !slices.ContainsFunc(registered, func(r string) bool { return strings.HasPrefix(want.Location+"/", strings.TrimSuffix(r, "/")+"/") }) {
			continue
		}
		covered, err := d.covered(ctx, want, have)
		if err != nil {
			return nil, false, err
		}
		if !covered {
			lacking = append(lacking, want)
		}
	}
	return lacking, false, nil
}

// grants that a principal has: on named things, and by tags.
type grants struct {
	named  []rights.Grant
	tagged []tagged
}

// tagged is a grant on all databases or tables that have certain tags.
type tagged struct {
	tables      bool
	permissions []string
	// tags have each key's values of which one has to be there; all keys have to.
	tags map[string][]string
}

// covered reports whether all that is wanted is granted.
func (d *Database) covered(ctx context.Context, want rights.Grant, have grants) (bool, error) {
	lacking := map[string]bool{}
	for _, permission := range want.Permissions {
		lacking[permission] = true
	}
	granted := func(permissions []string) {
		for permission := range lacking {
			if slices.Contains(permissions, permission) || slices.Contains(permissions, "ALL") {
				delete(lacking, permission)
			}
		}
	}
	for _, g := range have.named {
		if g.Location == want.Location && g.Database == want.Database && (g.Table == want.Table || g.Table == "*" && want.Table != "") {
			granted(g.Permissions)
		}
	}
	if len(lacking) == 0 || len(have.tagged) == 0 || want.Location != "" {
		return len(lacking) == 0, nil
	}
	tags, err := d.tags(ctx, want)
	if err != nil {
		return false, err
	}
	for _, g := range have.tagged {
		if g.tables == (want.Table != "") && fit(g.tags, tags) {
			granted(g.permissions)
		}
	}
	return len(lacking) == 0, nil
}

// fit reports whether something with tags is meant by an expression: of each of its keys it has one of the values (AWS Lake Formation
// Developer Guide, "LF-Tag expression").
func fit(expression, tags map[string][]string) bool {
	for key, values := range expression {
		if !slices.ContainsFunc(tags[key], func(v string) bool { return slices.Contains(values, v) }) {
			return false
		}
	}
	return len(expression) > 0
}

// tags are those of the database or of a table, which has the database's where it has none of its own. All tables have those of the
// database, as far as nobody has given one others.
func (d *Database) tags(ctx context.Context, of rights.Grant) (map[string][]string, error) {
	in := &lakeformation.GetResourceLFTagsInput{CatalogId: d.catalog, Resource: &types.Resource{Database: &types.DatabaseResource{Name: &d.name, CatalogId: d.catalog}}}
	if of.Table != "" && of.Table != "*" {
		in.Resource = &types.Resource{Table: &types.TableResource{DatabaseName: &d.name, Name: &of.Table, CatalogId: d.catalog}}
	}
	out, err := d.client.GetResourceLFTags(ctx, in)
	var missing *types.EntityNotFoundException
	if errors.As(err, &missing) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	tags := map[string][]string{}
	for _, t := range slices.Concat(out.LFTagOnDatabase, out.LFTagsOnTable) {
		tags[aws.ToString(t.TagKey)] = t.TagValues // a table's own come last
	}
	return tags, nil
}

// granted lists what a principal was granted on the database, its tables and places, and by tags.
func (d *Database) granted(ctx context.Context, who string) (grants, error) {
	var out grants
	in := &lakeformation.ListPermissionsInput{CatalogId: d.catalog, Principal: &types.DataLakePrincipal{DataLakePrincipalIdentifier: &who}}
	for pages := lakeformation.NewListPermissionsPaginator(d.client, in); pages.HasMorePages(); {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return grants{}, err
		}
		for _, e := range page.PrincipalResourcePermissions {
			var permissions []string
			for _, permission := range e.Permissions {
				permissions = append(permissions, string(permission))
			}
			one := rights.Grant{Permissions: permissions}
			switch r := e.Resource; {
			case r == nil:
				continue
			case r.LFTagPolicy != nil:
				tags, err := d.expression(ctx, r.LFTagPolicy)
				if err != nil {
					return grants{}, err
				}
				out.tagged = append(out.tagged, tagged{r.LFTagPolicy.ResourceType == types.ResourceTypeTable, permissions, tags})
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
			out.named = append(out.named, one)
		}
	}
	return out, nil
}

// expression is what a grant by tags asks for; it is written in the grant, or kept under a name.
func (d *Database) expression(ctx context.Context, p *types.LFTagPolicyResource) (map[string][]string, error) {
	list := p.Expression
	if len(list) == 0 && p.ExpressionName != nil {
		out, err := d.client.GetLFTagExpression(ctx, &lakeformation.GetLFTagExpressionInput{CatalogId: d.catalog, Name: p.ExpressionName})
		if err != nil {
			return nil, err
		}
		list = out.Expression
	}
	tags := map[string][]string{}
	for _, t := range list {
		tags[aws.ToString(t.TagKey)] = t.TagValues
	}
	return tags, nil
}

// admin reports whether a principal may do everything.
func (d *Database) admin(ctx context.Context, who string) (bool, error) {
	out, err := d.client.GetDataLakeSettings(ctx, &lakeformation.GetDataLakeSettingsInput{CatalogId: d.catalog})
	if err != nil {
		return false, err
	}
	return out.DataLakeSettings != nil && slices.ContainsFunc(out.DataLakeSettings.DataLakeAdmins, func(p types.DataLakePrincipal) bool {
		return aws.ToString(p.DataLakePrincipalIdentifier) == who
	}), nil
}

// registered lists the places that Lake Formation gives files of, as ARNs.
func (d *Database) registered(ctx context.Context) ([]string, error) {
	var out []string
	for pages := lakeformation.NewListResourcesPaginator(d.client, &lakeformation.ListResourcesInput{}); pages.HasMorePages(); {
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

// Commands are those of the AWS CLI that make grants to a principal, an ARN or what stands for one.
func Commands(list []rights.Grant, principal string) []string {
	var out []string
	for _, g := range list {
		out = append(out, g.Command(principal))
	}
	return out
}

// Partition is the part of AWS that an ARN is in, such as aws or aws-cn.
func Partition(arn string) string {
	if parts := strings.SplitN(arn, ":", 3); len(parts) == 3 {
		return parts[1]
	}
	return "aws"
}

// Needed are the grants of an actor, with locations in a partition of AWS.
func Needed(a rights.Actor, p rights.Places, partition string) []rights.Grant {
	out := rights.Grants(a, p)
	for i := range out {
		out[i].Location = strings.Replace(out[i].Location, "${AWS::Partition}", partition, 1)
	}
	return out
}
