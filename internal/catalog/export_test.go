package catalog

// Began lets a test ask when a process has begun.
var Began = began
