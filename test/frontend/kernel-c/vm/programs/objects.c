/*
 * Functions, objects of file scope, macros as the kernel has them.
 * What main() prints by out() is what the binary of gcc prints.
 */
extern void out(unsigned long);
typedef unsigned char u8; typedef unsigned short u16; typedef unsigned int u32;
  typedef unsigned long u64; typedef signed char s8; typedef long s64; typedef int s32;
struct list { struct list *next, *prev; };
struct pt { int x, y; };
struct big { u64 a[6]; u8 t; };
static int zero; static int one = 1;
static int arrp(int a[3], int n) { a[1] += n; a++; return a[0] + sizeof(a); }
static int arr2(int a[][3]) { return a[1][2]; }
static int fnp(int f(int), int x) { return f(x); }
static int dbl(int x) { return 2 * x; }
static struct big mkbig(u8 t) { struct big b = { .a = { 1, 2, [5] = t }, .t = t }; return b; }
static u64 takebig(struct big b, int k) { b.a[0] += k; return b.a[0] + b.a[5] + b.t; }
static struct pt swap(struct pt p) { return (struct pt){ p.y, p.x }; }
static int (*pick(int k))(int) { return k ? dbl : 0; }
static const int tab[] = { 1, 2, 4, 8 };
static struct { const char *n; int (*f)(int); u8 m:3, k:5; }
  ops[] = { { "a", dbl, 3, 17 }, { .n = "b", .k = 2 } };
static struct list head = { &head, &head };
static u64 addr = (u64)&head; static int *pone = &one + 0; static u8 *bytes = (u8 *)&one + 2;
static int two = sizeof(struct big) + 1; static u32 arr[][2] = { { 1 }, { 2, 3 } };
static long neg = -1; static u8 trunc = 0x1ff; static _Bool bb = 5; static s8 ss = 200;
  static u64 uu = -1; static int cond = 1 ? 3 : 4; static void *vp = (void *)0x10;
  static enum { Q0, Q1 = 7 } en = Q1;
union uu { u32 w; struct { u16 l, h; }; }; static union uu un = { .h = 5 };
  static struct pt pts[2] = { [1].y = 4, [0] = { 1 } };
static inline u64 fls(u64 x) { return x ? 64 - __builtin_clzl(x) : 0; }
static void vd(void) { return; }
static int noret(int x) { if (x) return 3; }
static _Bool tob(u64 x) { return x; } static u8 to8(int x) { return x; }
  static s64 sgn(u32 x) { return x; } static s64 sgn2(int x) { return x; }
  static u64 u3(s8 x) { return x; }
#define container_of(p, t, m) ({ void *__m = (void *)(p); ((t *)(__m - __builtin_offsetof(t, m))); })
#define READ_ONCE(x) (*(const volatile typeof(x) *)&(x))
#define WRITE_ONCE(x, v) do { *(volatile typeof(x) *)&(x) = (v); } while (0)
#define swap2(a, b) do { typeof(a) __t = (a); (a) = (b); (b) = __t; } while (0)
#define min(x, y) ({ typeof(x) _x = (x); typeof(y) _y = (y); (void)(&_x == &_y); _x < _y ? _x : _y; })
#define clamp(v, lo, hi) min((typeof(v))((v) < (lo) ? (lo) : (v)), hi)
#define __scalar(x) typeof(_Generic((x), char: (char)0, unsigned char: (unsigned char)0, signed char: (signed char)0, unsigned short: (unsigned short)0, int: 0, unsigned int: 0u, long: 0l, unsigned long: 0ul, default: (x)))
#define typeof __typeof__
#define GENMASK(h, l) (((~0UL) << (l)) & (~0UL >> (63 - (h))))
#define FIELD_PREP(m, v) (((typeof(m))(v) << (__builtin_ffsll(m) - 1)) & (m))
#define FIELD_GET(m, r) ((typeof(m))(((r) & (m)) >> (__builtin_ffsll(m) - 1)))
#define DIV_ROUND_UP(n, d) (((n) + (d) - 1) / (d))
#define is_const(x) (sizeof(int) == sizeof(*(8 ? ((void *)((long)(x) * 0l)) : (int *)8)))

int main(void)
{
	{ int a[3] = { 1, 2, 3 }; out(arrp(a, 5)); out(a[1]); int b[2][3] = { { 0 }, { 7, 8, 9 } };
	  out(arr2(b)); out(fnp(dbl, 4)); out(pick(1)(8)); out(pick(0) == 0); }
	{ struct big b = mkbig(9); out(b.a[5]); out(takebig(b, 100)); out(b.a[0]);
	  out(takebig(mkbig(3), 1)); out(swap(swap((struct pt){ 1, 2 })).y); out(mkbig(7).a[1]);
	  struct big c[2]; c[1] = mkbig(4); c[0] = c[1]; out(c[0].t); out(sizeof(mkbig(1)));
	  struct pt p = { 1, 2 }; p = swap(p); out(p.x); p = (struct pt){ p.y, p.x }; out(p.x); out(p.y); }
	{ out(tab[3]); out(ops[0].f(4)); out(ops[0].m); out(ops[0].k); out(ops[1].n[0]);
	  out(ops[1].f == 0); out(ops[1].k); out(head.next == &head); out(addr == (u64)&head); out(*pone);
	  out(*bytes); out(two); out(arr[1][1]); out(neg); out(trunc); out(bb); out(ss); out(uu);
	  out(cond); out((u64)vp); out(en); out(un.w); out(pts[1].y); out(pts[0].x); }
	{ out(fls(0)); out(fls(1)); out(fls(1UL << 40)); vd(); out(noret(1)); noret(0);
	  out(tob(1UL << 40)); out(to8(300)); out(sgn(-1)); out(sgn2(0x80000000)); out(u3(-1));
	  out((u8)to8(-1)); }
	{ u64 m = (~0UL - (1UL << 12) + 1) & (~0UL >> (63 - 47)); out(m); u32 ps = 12;
	  out(((1UL << ps) - 1)); out(~((1UL << ps) - 1) & 0x12345678);
	  out((0x12345678UL + (1 << ps) - 1) & ~((1 << ps) - 1)); out(-(1 << ps)); out((u64)-(1 << ps));
	  out((u64)-(1u << ps)); out(~(u32)0xfff & 0xffff00001234UL); out(0xffff00001234UL & ~0xfff);
	  out(0xffff00001234UL & ~0xfffU); out((s64)(0xabcUL << 52) >> 52); out(!!(m & 1UL << 47));
	  out(1UL << 63 >> 63); out((int)(m >> 47)); }
	{ u64 x = 5; x -= 6; out(x); int i = x; out(i); u32 w = x; out(w); x = w; out(x); x = i; out(x);
	  x = (u32)i; out(x); x = -i; out(x); w = -1; x = w + 1; out(x); x = w + 1L; out(x);
	  x = (u64)w + w; out(x); x = w * 2; out(x); x = w * 2ul; out(x); i = w >> 1; out(i);
	  i = (int)w >> 1; out(i); x = 1 << 31; out(x); x = 1u << 31; out(x); x = ~0; out(x); x = ~0u;
	  out(x); x = -1u; out(x); x = '\xff'; out(x); x = (s8)'\xff'; out(x); }
	{ int k = 0; int *p = &k; *p = 3, k += *p; out(k); int **pp = &p; **pp = 9; out(k); void *v = pp;
	  out(**(int **)v); const char *s = "hello"; int n = 0; while (*s++) n++; out(n);
	  char buf[8] = { 0 }; char *d = buf; for (const char *q = "ab"; (*d++ = *q++); ) ; out(buf[1]);
	  out(d - buf); out(&buf[8] - buf); out((u64)(&((struct big *)0)->t));
	  out((u64)&((struct big *)0)->a[2]); out((&k)[0]); out(sizeof(*p)); out(sizeof p);
	  out(sizeof(int) * 3); out(sizeof buf / sizeof *buf); }
	{ struct big b = { .t = 4 }; u8 *t = &b.t; out(container_of(t, struct big, t)->t); int x = 4;
	  WRITE_ONCE(x, 5); out(READ_ONCE(x)); int y = 6; swap2(x, y); out(x); out(min(x, y));
	  out(clamp(x, 1, 3)); const volatile u8 cv = 3; __scalar(cv) z = 300; out(z);
	  out(sizeof(__scalar(x))); out(GENMASK(47, 12)); out(FIELD_PREP(GENMASK(51, 50), 3));
	  out(FIELD_GET(GENMASK(47, 44), 0x123456789abcdefUL)); out(DIV_ROUND_UP(7, 2)); out(is_const(3));
	  out(is_const(x)); out(is_const(3 + sizeof(x))); out(__builtin_constant_p(GENMASK(3, 1))); }
	{ u64 lvl[4]; for (int l = 3; l >= 0; l--) lvl[l] = (12 - 3) * (4 - l) + 3; for (int l = 0; l < 4;
	  l++) out(lvl[l]); s8 level = -1; out((12 - 3) * (4 - level) + 3); out(level < 0u);
	  out(level > sizeof(int)); u32 ia = 48; out(1UL << (ia - 1)); out((1UL << ia) - 1);
	  u64 addr = 0x8000000000, end = 0x8040000000;
	  out((((addr + 0x40000000) & ~0x3fffffffUL) - 1 < end - 1) ? (addr + 0x40000000) & ~0x3fffffffUL : end);
	  s64 off = -4096; out(addr + off); out(addr + (u32)off); out((int)(addr >> 39) % 512);
	  out(-1 / 2u); out(-1 % 16ul); out((s64)-1 % 16); out(~0ull / 3 * 2 >> 1); }
	{ int r = 3; r = r == 3 ? ({ if (r) r = 7; r; }) : 1; out(r); r = (r = 4) + 0; out(r);
	  r = one ? zero ? 1 : 2 : 3; out(r); r = zero ? : 8; out(r); out((zero ? 1 : -1u) > 0);
	  out((s64)(zero ? 1u : -1)); out((s64)(zero ? 1L : -1u)); out((one ? (u8)200 : (s8)-1) + 0);
	  void *q = one ? &r : 0; out(*(int *)q); out((one ? 0 : &r) == 0);
	  out(sizeof(one ? (u8)1 : (u8)2)); out(!!(one && !zero || zero)); out(one ^ 1 | 2);
	  out((one, zero) ? 1 : 2); }
	{ union { struct { u8 a, b, c, d; }; u32 w; u16 h[2]; } u = { .w = 0x01020304 }; u.b++; out(u.w);
	  u.h[1] |= 0x8000; out(u.w); out((int)u.w < 0); struct { union { u64 raw;
	  struct { u64 lo:12, pfn:36, hi:16; }; }; } e = { .raw = 0xabcd123456789fff }; out(e.pfn);
	  out((u64)e.pfn << 12); e.pfn = 0x1234; out(e.raw); e.hi--; out(e.raw); e.lo = 0; out(e.raw);
	  out(e.lo - 1 < 0); struct { u32 a:10; u32 b:22; u32 c:30; u32 d:4; } g = { -1, -1, -1, -1 };
	  out(g.a); out(g.b); out(g.c + g.a); out(g.d); out(sizeof(g)); out(g.c * 4); out(g.b << 10 >> 10);
	  }
	return 0;
}
