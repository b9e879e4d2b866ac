package task

// Metrics of a deployed lake in CloudWatch, which the function writes into its log ("Embedded metric format"). Each has the
// dimensions [LakeDimension] and [TargetDimension].
const (
	Namespace = "tarn"

	LakeDimension   = "Lake"
	TargetDimension = "Target"

	// RunsFailed counts executions and manual runs that published nothing because of an error.
	RunsFailed = "RunsFailed"
	// RowsQuarantined counts rows of published runs; those that put none aside don't send it.
	RowsQuarantined = "RowsQuarantined"
)
