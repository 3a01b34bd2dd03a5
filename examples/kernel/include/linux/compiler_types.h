#define __noinline __attribute__((noinline))
