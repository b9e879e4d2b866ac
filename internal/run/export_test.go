package run

// OnStep lets a test see the steps of a run: built, staged, published.
func (w *Workspace) OnStep(at func(step string)) { w.at = at }
