package store

import "context"

// DeleteBelow removes all objects whose keys begin with a prefix. It keeps their keys in memory; none is fine.
func DeleteBelow(ctx context.Context, s Store, prefix string) error {
	var keys []string
	for o, err := range s.List(ctx, prefix, ListOptions{}) {
		if err != nil {
			return err
		}
		keys = append(keys, o.Key)
	}
	if len(keys) == 0 {
		return nil
	}
	return s.Delete(ctx, keys...)
}
