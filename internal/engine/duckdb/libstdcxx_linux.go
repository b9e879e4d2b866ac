package duckdb

// libstdc++ gave std::condition_variable::wait a new version with GCC 12 (GLIBCXX_3.4.30), which is all that keeps a program that
// was linked there from running where libstdc++ is that of GCC 11, as on Amazon Linux 2023 and AWS Lambda. What the function does has
// not changed since GCC 5: it waits on the pthread_cond_t that the object begins with, with the mutex that the lock points to. So it
// is here, and the linker need not look for it.

/*
#cgo LDFLAGS: -lpthread
#include <pthread.h>

struct tarn_unique_lock { pthread_mutex_t *mutex; };

__attribute__((visibility("hidden")))
void _ZNSt18condition_variable4waitERSt11unique_lockISt5mutexE(pthread_cond_t *self, struct tarn_unique_lock *lock) {
	pthread_cond_wait(self, lock->mutex);
}
*/
import "C"
