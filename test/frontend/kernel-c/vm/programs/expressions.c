/*
 * Expressions, statements and builtins.
 * What main() prints by out() is what the binary of gcc prints.
 */
extern void out(unsigned long);
typedef unsigned char u8; typedef unsigned short u16; typedef unsigned int u32;
  typedef unsigned long u64; typedef signed char s8; typedef short s16; typedef int s32;
  typedef long s64;
enum neg { N1 = -1, N2 = 2 }; enum big { B1 = 1UL << 40, B2 = 1 }; enum pos { P1, P2 = 5 };
#define typeof __typeof__
struct list { struct list *next, *prev; };
struct pt { int x, y; };
static int cnt; static int next(void) { return ++cnt; }
static struct pt mk(int a, int b) { return (struct pt){ a, b }; }
static void clean(int *p) { out(1000 + *p); }
static int fact(int n) { return n ? n * fact(n - 1) : 1; }
static int sum3(int a, u8 b, s8 c) { return a + b + c; }
static int uses_guard(int k) { int a __attribute__((cleanup(clean))) = 1;
  { int b __attribute__((cleanup(clean))) = 2; if (k == 1) return 10; if (k == 2) goto done; }
  { int c __attribute__((cleanup(clean))) = 3; } done: return 20; }
static int sw(long v) { switch (v) { case -3 ... -1: return 1; case 0: case 5: return 2;
  default: return 3; case 1UL << 33: return 4; case 7 ... 9: v += 1; case 10: return v; } }
static int sws(u8 v) { switch (v) { case 255: return 1; case -1: return 2; case 256: return 3; }
  return 0; }
static u32 rot(u32 x, int n) { return (x << n) | (x >> (32 - n)); }

int main(void)
{
	{ u8 a = 200, b = 100; out(a + b); out((u8)(a + b)); out(a - 201 < 0); out(~a); out(-a);
	  out(a << 24); out((a << 24) >> 24); out(!a); out(a * a); }
	{ s8 a = -100; u32 b = 5; out(a < b); out(a + b); out(a * b); out((s64)(a + b)); out((s64)a + b);
	  out(a >> 1); out(a >> 7); out(a / 7); out(a % 7); out(-7 / 2); out(-7 % 2); out(7 % -2);
	  out((u32)-7 % 2);}
	{ int m = 0x7fffffff; out(m + 1); out((s64)(m + 1)); out(m * 2); out((u32)m * 2);
	  s64 l = 0x7fffffffffffffffL; out(l + 1 < 0); out(-(l + 1)); int mn = -2147483647 - 1; out(-mn);
	  out(mn / -1 == mn || 1); out(mn * -1); out((u64)mn); out(mn >> 31); out((u32)mn >> 31);}
	{ out(0x80000000); out(-0x80000000); out(0xffffffff + 1); out(2147483648); out(-2147483648);
	  out(0x8000000000000000); out(0xffffffffffffffff > -1); out(1U - 2); out(1UL - 2); out(1u - 2L);
	  out(1ull << 63); out(0b1011); out(0777); out('a'); out('\xff'); out('\377'); out('ab');
	  out(L'é'); out('\0'); out('\n' + '\\');}
	{ out(sizeof('a')); out(sizeof(1 ? 1 : 2L)); out(sizeof((u8)1 + (u8)1)); out(sizeof(+(u8)1));
	  out(sizeof(1 == 1L)); out(sizeof(N1)); out(sizeof(enum big)); out(sizeof(B2)); out(sizeof(B1));
	  out(sizeof(P1)); out(N1 < 0u); out((enum pos)-1 > 0); out((enum neg)-1 > 0); enum pos p = -1;
	  out(p > 0); out((s64)p); enum neg n = -1; out((s64)n);out(P1 - 1 < 0); out(p - P2 < 0); }
	{ struct pt p = mk(3, 4); out(p.y); out(mk(5, 6).x); struct pt q = p; q.x = 9; out(p.x);
	  out((p = q).x); struct pt *pp = &(struct pt){ 7, 8 }; out(pp->y); out(((struct pt){ .y = 3 }).x);
	  out((1 ? p : q).x); struct pt a[3] = { mk(1,2), { 3 }, [2].y = 9 }; out(a[1].x); out(a[1].y);
	  out(a[2].y); out(a[2].x); out((a + 1)->x); out(1[a].x); out(&a[2] - &a[0]); out(*(&a[0].y + 1));
	  }
	{ int i = 1; int r = i++ + 10; out(r); out(i); r = ++i * 2; out(r); int a[3] = { 1, 2, 3 };
	  int *p = a; out(*p++); out(*p); out((*p)++); out(*p); out(*++p); out(p - a); out(-- *p); p -= 2;
	  out(p == a); out(p < a + 1); out(!p); i = 5; i += i * 2; out(i); i <<= 2; out(i); i ^= i >> 1;
	  out(i); i %= 7; out(i); i = i++ ? 3 : 4; out(i);}
	{ int x = 0; out(x && next()); out(cnt); out(!x || next()); out(cnt); out(x || next()); out(cnt);
	  out((x, next(), 5)); out(cnt); out(next() ?: 9); out(x ?: 9); out(cnt); out(x ? next() : cnt);
	  out(({ int y = next(); y * 2; })); out(({ if (x) ; 5; })); out(({ int z; do { z = next();
	  } while (z < 8); z; })); }
	{ out(uses_guard(0)); out(uses_guard(1)); }
	{ out(uses_guard(2)); }
	{ for (int i = 0; i < 3; i++) { int k __attribute__((cleanup(clean))) = i; if (i == 1) continue;
	  if (i == 2) break; out(i); } }
	{ int r = ({ int k __attribute__((cleanup(clean))) = 4; k + 1; }); out(r); }
	{ out(sw(-2)); out(sw(0)); out(sw(5)); out(sw(6)); out(sw(1UL << 33)); out(sw(8)); out(sw(10));
	  out(sw(-4)); out(sws(255)); out(sws(0)); }
	{ int n = 7, c = 0; switch (n % 4) { case 0: do { c += 1; case 3: c += 10; case 2: c += 100;
	  case 1: c += 1000; } while ((n -= 4) > 0); } out(c); }
	{ int i = 0; again: i++; if (i < 3) goto again; out(i); { __label__ l; goto l; i = 100; l: out(i);
	  } { __label__ l; goto l; i = 200; l: out(i); } }
	{ out(fact(6)); int (*f)(int) = fact; out(f(4)); out((*f)(3)); out((&fact)(2)); out(f == fact);
	  out(!f); out(sum3(1, 300, 200)); int (*t[2])(int) = { fact, 0 }; out(t[0](5)); out(t[1] ? 1 : 2);
	  }
	{ union { u64 l; u32 w[2]; u8 b[8]; struct { u16 lo, hi; }; s8 sc; } u = { 0x1122334455667788 };
	  out(u.w[1]); out(u.b[3]); out(u.hi); u.hi = 1; out(u.l); u.sc = -1; out(u.l); union { int a;
	  char c; } v = { .c = 5 }; out(v.a & 0xff); out((union { u32 i; u8 b[4];
	  }){ .i = 0xdeadbeef }.b[2]); }
	{ out(__builtin_clz(1)); out(__builtin_clzl(1)); out(__builtin_ctz(8));
	  out(__builtin_ctzll(1UL << 40)); out(__builtin_ffs(0)); out(__builtin_ffs(-1));
	  out(__builtin_ffsl(1L << 40)); out(__builtin_ffs((int)(1L << 40))); out(__builtin_popcount(-1));
	  out(__builtin_popcountl(-1)); out(__builtin_popcount(0xfffffffffL)); out(__builtin_parity(7));
	  out(__builtin_bswap16(0x1234)); out(__builtin_bswap32(0x12345678));
	  out(__builtin_bswap64(0x123456789)); out(__builtin_abs(-5)); out(__builtin_labs(-5L));
	  out(__builtin_clrsb(0)); out(__builtin_clrsb(-1)); out(__builtin_clrsbl(5)); }
	{ int r; long l; u8 c; out(__builtin_add_overflow(0x7fffffff, 1, &r)); out(r);
	  out(__builtin_add_overflow(0x7fffffff, 1, &l)); out(l); out(__builtin_mul_overflow(16, 16, &c));
	  out(c); out(__builtin_sub_overflow(1u, 2u, &r)); out(r); out(__builtin_sub_overflow(1u, 2u, &c));
	  out(c); u64 u; out(__builtin_mul_overflow(1UL << 40, 1UL << 40, &u)); out(u);
	  out(__builtin_add_overflow(-1, 1u, &c)); }
	{ int k = 3; out(__builtin_constant_p(3)); out(__builtin_constant_p("x"));
	  out(__builtin_choose_expr(1, 5, k)); out(__builtin_types_compatible_p(int, const int));
	  out(__builtin_types_compatible_p(int *, const int *));
	  out(__builtin_types_compatible_p(int[], int[5]));
	  out(__builtin_types_compatible_p(enum pos, unsigned));
	  out(__builtin_types_compatible_p(long, long long));
	  out(__builtin_types_compatible_p(typeof(k + 1L), long));
	  out(__builtin_types_compatible_p(char, unsigned char)); out(__builtin_expect(k, 1));
	  out(__builtin_offsetof(struct pt, y)); out(__builtin_strlen("abc"));
	  out(__builtin_memcmp("abc", "abd", 3) < 0); }
	{ typeof(1UL) a = 5; typeof(a) *p = &a; out(*p); __auto_type q = p; out(*q);
	  out(_Generic(a, unsigned long: 1, default: 2));
	  out(_Generic((char)1, char: 1, signed char: 2, unsigned char: 3));
	  out(_Generic(&a, unsigned long *: 4, void *: 5)); const int ci = 2;
	  out(_Generic(ci, int: 6, const int: 7)); out(_Generic("s", char *: 8, const char *: 9));
	  out(_Generic(1 ? (void *)0 : (int *)0, int *: 1, void *: 2));
	  out(sizeof(*(1 ? (void *)(5L * 0l) : (int *)8)));
	  out(sizeof(*(1 ? (void *)(a * 0l) : (int *)8))); }
	{ u32 x = 0x80000001; out(rot(x, 4)); out((u64)x << 4); out(x << 4); out((s32)x >> 4); out(x >> 4);
	  out((s64)(s32)x); out((u64)(s32)x >> 60); int sh = 31; out(1 << sh); out((s64)(1 << sh));
	  out(1U << sh); out(1UL << sh << 31); u16 h = 0xffff; out(h << 16); out((s64)(h << 16));
	  out((u32)h << 16 | h); out(h >> 4 << 4); out((u8)~h); out(~(u64)h); out(~h & 0xfffffffff); }
	{ static int s; s++; out(s); static int t[3] = { 1, [2] = 5 }; out(t[2]);
	  static const char *names[] = { "a", [3] = "b" }; out(sizeof(names) / sizeof(*names));
	  out(names[3][0]); out(names[1] == 0); static struct { struct list l; int k;
	  } z = { .l = { &z.l, &z.l }, .k = 3 }; out(z.l.next == &z.l);
	  out(((typeof(z) *)((char *)z.l.prev - __builtin_offsetof(typeof(z), l)))->k);
	  struct list h = { &h, &h }; out(h.next == &h); }
	{ int a[2][3] = { 1, 2, 3, 4 }; out(a[1][0]); out(a[1][2]); out(sizeof(a[0])); int (*p)[3] = a;
	  out(p[1][0]); out(*(*(p + 1))); int b[][2] = { { 1 }, { 2, 3 } }; out(b[1][1]); out(sizeof(b));
	  struct { int n; int v[]; } *f; char m[20] = { 0 }; f = (void *)m; f->v[1] = 5; out(m[8]);
	  out(sizeof(*f)); struct { int v[0]; int x; } zz = { .x = 4 }; out(zz.v[0]); }
	{ u64 *p = (u64 *)0xffff000000001008; out((u64)(p + 1)); out((u64)&p[-1]); out((u64)p & ~0xfffUL);
	  out((u64)p & 0xfff); out((u64)p & ~0xfff); out((u64)p & ~0xfffu);
	  out((unsigned long)((void *)p + 1)); out((long)p < 0); out(p > (u64 *)8); out((u32)(u64)p);
	  out(p - (u64 *)0xffff000000001000); out((u64)((u8 *)p - 9)); }
	{ s64 v = -5; u64 n = 3; out(v / n); out(v % n); out(v / (s64)n); out(v > n); out((int)v > (int)n);
	  u8 c = 250; c += 10; out(c); c -= 20; out(c); c *= 3; out(c); c >>= 1; out(c); s8 d = 127; d++;
	  out(d); d /= 2; out(d); d = 300; out(d); u16 e = 0; e--; out(e); e = ~e; out(e); e = -1;
	  out(e == -1); out(e == (u16)-1); }
	{ volatile int v = 5; v += 2; out(v); v++; out(v--); out(v); *(volatile int *)&v = 8; out(v);
	  const volatile int *p = &v; out(*p); out(v = 3); volatile u8 vb = 5; out(vb = 300); u8 nb;
	  out(nb = 300); s8 ns; out(ns = 200); }
	{ out(sizeof(struct { u8 a; u32 b; })); out(sizeof(struct { u8 a; u32 b;
	  } __attribute__((packed)))); struct { u8 a; u64 b; u8 c;
	  } __attribute__((packed)) p = { 1, 0x1122334455667788, 3 }; out(p.b); p.b++; out(p.b); out(p.c);
	  out(*(u16 *)((u8 *)&p + 1)); struct { u32 a __attribute__((aligned(16))); u8 b; } al;
	  out(sizeof(al)); out(_Alignof(al)); out(__alignof__(u64)); u32 z __attribute__((aligned(64)));
	  out((u64)&z % 64); }
	{ int x = 5; void *p = &x; out(*(int *)p); out(((u8 *)p)[0]); out(*(u8 *)(p + 1)); u64 w = 0;
	  ((u16 *)&w)[2] = 7; out(w); *((u8 *)&w + 7) = 1; out(w); __builtin_memset(&w, 0xab, 3); out(w);
	  __builtin_memcpy(&x, &w, 2); out(x); }
	{ int i, n = 0; for (i = 0; ; i++) { if (i == 3) continue; if (i > 5) break; n += i; } out(n);
	  while (n --> 10); out(n); do n++; while (0); out(n); if (n) if (0) out(1); else out(2);
	  for (;;) { switch (n) { default: break; } break; } switch (3) { int q; case 3: q = 4; out(q);
	  } switch (n) { } }
	{ struct bf { int s:1; unsigned u:1; enum pos e:3; s64 w:5; _Bool b:1; u8 x:4, y:4;
	  } f = { 1, 1, P2, -3, 5, 17, 3 }; out(f.s); out(f.u); out(f.e); out(f.w); out(f.b); out(f.x);
	  out(f.y); out(f.u + f.s); out(f.s ? 1 : 2); out(f.s == 1); out(-f.u < 0); out(f.e - 6 < 0);
	  f.x += 20; out(f.x); out(f.x++); out(--f.y); out(f.b |= 2); out(sizeof(f)); out(f.u << 31 >> 31);
	  out(sizeof(f.u + 0)); out(sizeof(+f.w)); }
	return 0;
}
