/*
 * Cleanups, enumerators of blocks, static locals.
 * What main() prints by out() is what the binary of gcc prints.
 */
extern void out(unsigned long);
typedef unsigned char u8; typedef unsigned int u32; typedef unsigned long u64;
struct em {}; struct pt { int x, y; };
static void clean(int *p) { out(1000 + *p); }
#define C __attribute__((cleanup(clean)))
static int g1(int k) { int a C = 1; if (k == 0) goto end; { int b C = 2; if (k == 1) goto end;
  { int c C = 3; if (k == 2) goto end; if (k == 3) goto mid; out(50); } mid: out(60);
  if (k == 4) goto end; } { int d C = 4; if (k == 5) goto end; } end: out(70); return k; }
static int g2(int k) { int n = 0; again: { int a C = n; if (n++ < k) goto again; } { int b C = 9;
  if (n++ < 6) goto again; } return n; }
static int g3(int k) { int n = 0; int z C = 5; again: ; int a C = 10 + n; if (n++ < k) goto again;
  if (k > 2) goto out; out(1); out: return n; }
static int g4(int k) { for (int i = 0; i < 3; i++) { int a C = i;
  switch (k) { case 0: { int b C = 20; goto next; } case 1: { int c C = 21; break; }
  case 2: { int d C = 22; continue; } default: goto done; } out(i); next: out(90); } done: return 7;
  }
static int g5(int k) { int a C = 1; int r = ({ int q C = 2; if (k) goto fail; q + 5; }); out(r);
  return 3; fail: { int z C = 8; out(80); } return 4; }

int main(void)
{
	for (int k = 0; k < 7; k++) out(g1(k));
	for (int k = 0; k < 4; k++) out(g2(k));
	for (int k = 0; k < 4; k++) out(g3(k));
	for (int k = 0; k < 4; k++) out(g4(k));
	out(g5(0)); out(g5(1));
	{ struct { int a; struct { struct { int p, q; }; int r; } n; int z[2];
	  } s = { 1, .n.q = 2, 3, 4, 5 }; out(s.n.p); out(s.n.q); out(s.n.r); out(s.z[0]); out(s.z[1]);
	  struct pt a[4] = { [1].y = 3, 4, [0].x = 5, 6, 7 }; for (int i = 0; i < 4; i++) { out(a[i].x);
	  out(a[i].y); } int m[2][2][2] = { [1][0][1] = 3, 4, [0] = { 1, 2, { 5 } } }; for (int i = 0;
	  i < 8; i++) out(((int *)m)[i]); struct pt b[4] = { [0 ... 3].x = 2, [2].y = 7, 1 };
	  for (int i = 0; i < 4; i++) { out(b[i].x); out(b[i].y); } }
	{ union { struct pt p; int k; u64 l; } u = { 1, 2 }; out(u.p.y); struct { union { struct pt p;
	  int k; }; int z; } s = { 1, 2, 3 }; out(s.p.y); out(s.z); struct { union { int k; struct pt p; };
	  int z; } t = { 1, 2 }; out(t.k); out(t.z); struct { union { int k; struct pt p; } u; int z;
	  } v = { .u.p = { 4, 5 }, 6 }; out(v.u.p.y); out(v.z); struct { union { int k; struct pt p; } u;
	  int z; } w = { .u.p.x = 4, 5, 6 }; out(w.u.p.y); out(w.z); struct { union { struct { int a, b; };
	  u64 l; }; int c; } x = { .b = 3, 4 }; out(x.b); out(x.c); }
	{ enum { A = 5, B = A * 2, CC }; int v[CC]; out(sizeof(v)); switch (10) { case A: out(1); break;
	  case B ... CC: out(2); } { enum { A = 1 }; out(A); { int A = 3; out(A); } out(A); } out(A);
	  static int st[] = { [A] = B }; out(st[A]); struct { int f : A; } bf = { -1 }; out(bf.f);
	  out(sizeof(enum { X = 1 })); out(X); out(A < -1); out(_Generic(A, int: 1, unsigned: 2));
	  typeof(A) z = -1; out(z < 0); }
	{ static int cnt = 3; static int *p = &cnt; ++*p; out(cnt); static struct { void *self; int n;
	  } s = { &s, sizeof(s) }; out(s.self == &s); out(s.n); { static int cnt = 8; static int *q = &cnt;
	  out(*q); } out(*p); enum { L = 2 }; static int arr[L] = { L, L + 1 }; out(arr[1]);
	  struct loc { int a, b; }; static struct loc sl = { .b = 4 }; out(sl.b);
	  static const struct loc *psl = &sl; out(psl->b); static typeof(sl) cp = { 9 }; out(cp.a); }
	{ out('ab'); out('\1\2'); out('a\n'); out('abcd'); out(__builtin_clrsb(0));
	  out(__builtin_clrsb(-1)); out(__builtin_clrsbl(5)); out(__builtin_clrsbll(-5L)); int z = -100;
	  out(__builtin_clrsb(z)); }
#if 'ab' == 24930
	out(1);
#endif
	return 0;
}
