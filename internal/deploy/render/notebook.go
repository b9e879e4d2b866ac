package render

import (
	"tarn/internal/deploy"
	"tarn/internal/deploy/cfn"
	"tarn/internal/notebook"
)

// notebook is a SageMaker notebook instance under the scientist's role, with a notebook on a curated table.
func (r *renderer) notebook() error {
	if !r.Settings.Notebook.On {
		return nil
	}
	table := ""
	for _, m := range r.Models {
		// The last one is made of the others.
		if m.Zone == "curated" {
			table = m.Name
		}
	}
	if table == "" {
		return &deploy.UnfitError{Message: "a notebook reads a curated table, and this lake has none", Fix: "remove notebook: below deploy:"}
	}
	script, err := notebook.Lifecycle(notebook.Config{Database: r.Database, Table: table, WorkGroup: r.n.Scientist})
	if err != nil {
		return err
	}
	not := r.unkeyed(noDiskKey)
	if r.Settings.Roles.Scientist != "" {
		not = append(not, noOwnRole)
	}
	r.t.Add(cfn.Resource{ID: "NotebookScript", Type: "AWS::SageMaker::NotebookInstanceLifecycleConfig", Properties: cfn.Map{
		"NotebookInstanceLifecycleConfigName": r.n.Notebook,
		"Tags":                                r.tags(),
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
