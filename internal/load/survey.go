package load

import (
	"iter"
	"strings"
	"time"
)

// Survey adds up, while everything is listed, how many requests a look at recent dates would make in its place. It needs
// no more memory than one name.
type Survey struct {
	since   time.Time
	base    string
	files   int // all
	folders int // that are listed one by one
	entries int // what these listings give: files, and folders that are passed
	last    []string
}

// NewSurvey starts one for the names of a table with a LOCATION.
func NewSurvey(location string, since time.Time) *Survey {
	return &Survey{base: strings.TrimSuffix(location, "/") + "/", since: since}
}

// Watch hands on what a look comes across, and counts it.
func (s *Survey) Watch(sights iter.Seq2[Sight, error]) iter.Seq2[Sight, error] {
	return func(yield func(Sight, error) bool) {
		for sight, err := range sights {
			if err == nil {
				s.add(strings.TrimPrefix(sight.Name, s.base))
			}
			if !yield(sight, err) {
				return
			}
		}
	}
}

// add counts a file. As files come in order, those of one folder come together.
func (s *Survey) add(rel string) {
	if s.files++; s.files == 1 {
		s.folders = 1
	}
	var parts []string
	if dir := folderOf(rel); dir != "" {
		parts = strings.Split(strings.TrimSuffix(dir, "/"), "/")
	}
	known := 0 // folders that the file before was in too
	for known < min(len(parts), len(s.last)) && parts[known] == s.last[known] {
		known++
	}
	s.last = parts
	at := period{}
	for i, folder := range parts {
		next, ok := at.enter(folder)
		fresh := i >= known
		if fresh {
			s.entries++
		}
		if ok && !next.end().After(s.since) {
			return
		}
		if fresh {
			s.folders++
		}
		if ok && next.whole() || !ok && at.dated() {
			break
		}
		at = next
	}
	s.entries++
}

// Requests gives how many requests list everything, and how many only recent dates.
func (s *Survey) Requests() (all, recent int) { return 1 + s.files/page, s.folders + s.entries/page }

// Worth reports whether looking at recent dates only takes at most half of the requests.
func (s *Survey) Worth() bool {
	all, recent := s.Requests()
	return 2*recent <= all
}
