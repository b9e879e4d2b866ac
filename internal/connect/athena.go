package connect

// athena begins a script that asks Athena in a workgroup, as the function ask.
func athena(peer, group string, p Place) (*script, error) {
	if !p.Glue {
		return nil, &UnfitError{peer, "reads tables of the AWS Glue Data Catalog only", "choose a target with catalog: glue, such as --target aws"}
	}
	s := &script{}
	s.need("awswrangler==" + wranglerVersion)
	s.use("import awswrangler as wr")
	if p.Region != "" || p.Profile != "" {
		s.use("import boto3")
		arguments := ""
		for _, a := range []pair{{"profile_name", p.Profile}, {"region_name", p.Region}} {
			if a.value != "" {
				if arguments != "" {
					arguments += ", "
				}
				arguments += a.key + "=" + literal(a.value)
			}
		}
		s.line("boto3.setup_default_session(%s)", arguments)
	}
	for _, e := range []pair{{"athena", p.Endpoints.Athena}, {"glue", p.Endpoints.Glue}, {"s3", p.Endpoints.S3}} {
		if e.value != "" {
			s.line("wr.config.%s_endpoint_url = %s", e.key, literal(e.value))
		}
	}
	s.line("")
	s.line("def ask(sql):")
	s.line("    # Without ctas_approach=False awswrangler makes a table of the result and drops it again, which readers may not do.")
	results := ""
	if p.Results != "" {
		results = ", s3_output=" + literal(p.Results)
	}
	s.line("    return wr.athena.read_sql_query(sql, database=%s, workgroup=%s%s, ctas_approach=False)", literal(p.Database), literal(group), results)
	s.line("")
	return s, nil
}

func athenaCell(p Place, t Table) (Cell, error) {
	s, err := athena("athena", p.ByAnalyst(), p)
	if err != nil {
		return Cell{}, err
	}
	s.line("df = ask(%s)", literal(t.sql()))
	s.line("print(df)")
	return Cell{Parts: []Part{s.part()}}, nil
}

func sagemakerCell(p Place, t Table) (Cell, error) {
	s, err := athena("sagemaker", p.ByScientist(), p)
	if err != nil {
		return Cell{}, err
	}
	s.line("df = ask(%s)", literal(t.sql()))
	if t.Person == "" {
		s.line("# No column is known to say whose a row is. Name one with --person, and the cell splits the rows so that nobody is in both parts.")
		s.line("print(df)")
		return Cell{Parts: []Part{s.part()}}, nil
	}
	s.need("scikit-learn==" + scikitVersion)
	s.use("from sklearn.model_selection import GroupShuffleSplit")
	s.line("# Rows of one person are alike: with some of them in each part, a model is tested on what it has seen.")
	s.line("[(learn, test)] = GroupShuffleSplit(n_splits=1, test_size=0.25, random_state=7).split(df, groups=df[%s])", literal(t.Person))
	s.line("train, held_out = df.iloc[learn], df.iloc[test]")
	s.line("print(len(train), %s, len(held_out))", literal("rows to learn from, to test with:"))
	return Cell{Parts: []Part{s.part()}}, nil
}
