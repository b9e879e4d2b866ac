package careful

type CSVReader struct{}

func (*CSVReader) Next() ([]any, *Bad, error) { return nil, nil, nil }
func (*CSVReader) Stats() *Stats              { return nil }
