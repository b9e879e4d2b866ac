package render

import (
	"errors"
	"slices"
	"strings"

	"tarn/internal/deploy"
	"tarn/internal/deploy/cfn"
	"tarn/internal/notebook"
)

// notebook is a SageMaker notebook instance under the scientist's role, with a notebook on a curated table.
func (r *renderer) notebook() error {
	if !r.Settings.Notebook.On {
		return nil
	}
	table, err := r.notebookTable()
	if err != nil {
		return err
	}
	c := notebook.Config{Database: r.Database, Table: table.Name, WorkGroup: r.n.Scientist}
	var wrong *notebook.ColumnError
	if err := c.Choose(table.Columns, r.Settings.Notebook.Person, r.Settings.Notebook.Predict); errors.As(err, &wrong) {
		return &deploy.UnfitError{Message: "deploy: notebook: " + wrong.Error() + " (" + table.Name + ")", Fix: wrong.Hint()}
	}
	script, err := notebook.Lifecycle(c)
	if err != nil {
		return err
	}
	not := r.unkeyed(noDiskKey)
	if r.Settings.Roles.Scientist != "" {
		not = append(not, noOwnRole)
	}
	r.t.Add(cfn.Resource{ID: "NotebookScript", Type: "AWS::SageMaker::NotebookInstanceLifecycleConfig", Properties: cfn.Map{
		"NotebookInstanceLifecycleConfigName": r.n.Notebook,
		"OnStart":                             cfn.List{cfn.Map{"Content": cfn.Map{"Fn::Base64": script}}},
	}}, accept(cfn.Resource{ID: "Notebook", Type: "AWS::SageMaker::NotebookInstance", Comment: "It costs while it runs: stop it when you are done.", Properties: cfn.Map{
		"NotebookInstanceName": r.n.Notebook, "InstanceType": r.Settings.Notebook.Instance, "RoleArn": r.role("scientist"),
		"LifecycleConfigName": cfn.GetAtt("NotebookScript.NotebookInstanceLifecycleConfigName"),
		"PlatformIdentifier":  "notebook-al2023-v1", "RootAccess": "Disabled", "DirectInternetAccess": "Enabled", "VolumeSizeInGB": 5, "KmsKeyId": r.key(),
		"InstanceMetadataServiceConfiguration": cfn.Map{"MinimumInstanceMetadataServiceVersion": "2"},
		"Tags":                                 r.tags(),
	}}, not...))
	return nil
}

// notebookTable is the curated table that the notebook reads: the one that is named, the model case's, or the last one, which is made
// of the others.
func (r *renderer) notebookTable() (deploy.Model, error) {
	var curated []deploy.Model
	var names []string
	for _, m := range r.Models {
		if m.Zone == "curated" {
			curated, names = append(curated, m), append(names, m.Name)
		}
	}
	if len(curated) == 0 {
		return deploy.Model{}, &deploy.UnfitError{Message: "a notebook reads a curated table, and this lake has none", Fix: "remove notebook: below deploy:"}
	}
	if named := r.Settings.Notebook.Table; named != "" {
		i := slices.IndexFunc(names, func(n string) bool { return strings.EqualFold(n, named) })
		if i < 0 {
			return deploy.Model{}, &deploy.UnfitError{Message: "deploy: notebook: table: this lake has no curated table " + named, Fix: "one of " + strings.Join(names, ", ")}
		}
		return curated[i], nil
	}
	if i := slices.Index(names, notebook.Table); i >= 0 {
		return curated[i], nil
	}
	return curated[len(curated)-1], nil
}
