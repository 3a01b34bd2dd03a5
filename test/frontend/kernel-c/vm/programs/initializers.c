/* Initializers and bit-fields. What main() prints by out() is what the binary of gcc prints. */
extern void out(unsigned long);
typedef unsigned char u8; typedef unsigned short u16; typedef unsigned int u32;
  typedef unsigned long u64;
enum g { GA = 3, GB };
struct anon { int a; struct { int x, y; }; union { int u; short v; }; int z; };
struct in { int p, q; };
struct on { struct in i; int r; int arr[3]; };
int calls;
int side(void){ return ++calls; }
static int gs = 5;
struct bf { unsigned a:3; int b:5; unsigned long c:40; long d:33; _Bool e:1; unsigned long f:32;
  u8 g:7; u16 h:9; };

int main(void)
{
	{ enum { A = 1, B }; out(-1 < A); out(sizeof(A)); switch (1) { case A: out(77); break;
	  default: out(78);} int arr[B]; out(sizeof(arr)); }
	{ enum { GA = 9 }; out(GA); }
	{ enum le { LX = -1, LY } v = LX; out(v < 0); out(v < LY); }
	{ struct { enum { IN1 = 4, IN2 } k; } s = { IN2 }; out(s.k); out(IN1); }
	{ struct anon s = { .x = 1, 2, 3, 4 }; out(s.a); out(s.x); out(s.y); out(s.u); out(s.z); }
	{ struct anon s = { 1, 2, 3, 4, 5 }; out(s.a); out(s.x); out(s.y); out(s.u); out(s.z); }
	{ struct on s = { .i.p = 1, 2, 3 }; out(s.i.p); out(s.i.q); out(s.r); }
	{ struct on s = { .arr[1] = 7, 8 }; out(s.arr[0]); out(s.arr[1]); out(s.arr[2]); }
	{ struct on s = { {1,2}, 3, {4,5,6}, }; struct on t = { .i = s.i, .arr = {[2]=9} }; out(t.i.q);
	  out(t.arr[2]); out(t.r);}
	{ int a[4] = { [0 ... 3] = side() }; out(a[0]); out(a[3]); out(calls); }
	{ int a[] = { 1, [5] = 2, 3 }; out(sizeof(a)); out(a[6]); }
	{ char s[] = "ab\xff\101\0z"; out(sizeof(s)); out(s[2]); out(s[3]); out(s[5]); }
	{ char s[2] = "abc"; out(s[1]); }
	{ char *u = "é"; out(u[0]); out(sizeof("é")); }
	{ struct in b[2] = { [0 ... 1].p = 2, 7 }; out(b[0].q); out(b[1].q); }
	{ struct on b[2] = { [0 ... 1] = 2, 7, 8 }; out(b[0].i.p); out(b[0].i.q); out(b[0].r);
	  out(b[1].i.q); out(b[1].r); }
	{ struct on b[2] = { [0 ... 1].i = { 2, 7 }, 8 }; out(b[0].i.q); out(b[0].r); out(b[1].r); }
	{ int b[2][2] = { [0 ... 1] = 2, 7 }; out(b[0][0]); out(b[0][1]); out(b[1][0]); out(b[1][1]); }
	return 0;
}
