/*
 * Scopes of names and flow of control.
 * What main() prints by out() is what the binary of gcc prints.
 */
extern void out(unsigned long);
typedef unsigned char u8; typedef unsigned short u16; typedef unsigned int u32;
  typedef unsigned long u64; typedef signed char s8; typedef long s64;
struct list { struct list *next, *prev; };
struct pt { int x, y; };
static int zero; static int one = 1;
static void clean(int *p) { out(1000 + *p); }

int main(void)
{
	{ typedef u8 u32; out(sizeof(u32)); { struct pt { char c; }; out(sizeof(struct pt));
	  } out(sizeof(struct pt)); { u32 u32 = 7; out(u32); out(sizeof u32); } }
	{ struct pt; struct pt *p = 0; out(p == 0); { struct q { struct q *n; int z; } a = { &a, 4 };
	  out(a.n->z); } { enum { X = 5 } v = X; out(v); } enum e { EA = 2, EB = EA * 3 } e = EB; out(e);
	  switch (e) { case EB: out(9); } }
	{ struct pt a = { .x = 1, .y = 2, .x = 3 }; out(a.x); struct { struct pt p; int q;
	  } b = { .p = { 1, 2 }, .p.y = 5, 6 }; out(b.p.x); out(b.p.y); out(b.q); }
	{ struct { int a[3]; int b; } s = { .a = { 1 }, .a[1] = 4, 5, 6 }; out(s.a[0]); out(s.a[1]);
	  out(s.a[2]); out(s.b); }
	{ int a[6] = { [4] = 1, 2, [0] = 3, 4 }; for (int i = 0; i < 6; i++) out(a[i]);
	  int b[5] = { [1 ... 2] = 7, 8 }; for (int i = 0; i < 5; i++) out(b[i]);
	  int c[4] = { [0 ... 3] = 1, [2] = 9 }; out(c[2]); out(c[3]); }
	{ struct { union { int a; long b; }; int c; } s = { { .b = 1UL << 33 }, 4 }; out(s.b); out(s.c);
	  struct { union { struct { int a, b; }; long l; }; int c; } t = { .a = 1, .b = 2, .c = 3 };
	  out(t.l); out(t.c); struct { int :4; int x; struct { int y; } n; } w = { 3, 4 }; out(w.x);
	  out(w.n.y); struct { int x; int :0; int y:4; int :3; int z:2; } q = { 1, 2, 1 }; out(q.y);
	  out(q.z); }
	{ struct pt a[] = { [2] = { 1, 2 }, { 3, 4 } }; out(sizeof(a)); out(a[3].y);
	  struct pt b[] = { 1, 2, 3 }; out(sizeof(b)); out(b[1].x); struct { struct pt p[2]; int z;
	  } c = { 1, 2, 3, 4, 5 }; out(c.p[1].y); out(c.z); struct { char s[4]; int n;
	  } d = { "ab", 3 }, e[] = { "x", 1, "yz", 2 }; out(d.s[1]); out(d.n); out(e[1].s[1]); out(e[1].n);
	  out(sizeof(e)); char *ps[] = { "a", "bc" }; out(ps[1][1]); char t[][4] = { "abc", "de" };
	  out(t[1][1]); out(sizeof t);}
	{ struct pt p = { 1, 2 }; struct { struct pt p; int z; } s = { p, 3 }; out(s.p.y); out(s.z);
	  struct pt q[2] = { p, { 5, 6 } }; out(q[0].x); out(q[1].y); struct { int a; struct pt p;
	  } u = { 9, (struct pt){ 7, 8 } }; out(u.p.y); int v[2] = { p.x, p.y }; out(v[1]);
	  struct pt *r = &p; struct pt w = *r; out(w.y); struct { struct pt p; int z; } k = { *r, .z = 1 };
	  out(k.p.y); out(k.z); struct pt m = one ? p : w; out(m.x);
	  struct pt n = ({ struct pt t = { 4, 5 }; t; }); out(n.y); out(({ struct pt t = { 4, 5 }; t;
	  }).x); }
	{ u8 a[4] = "ab\0c"; out(a[3]); out("abc"[1]); out(sizeof("a" "b")); out(*("xy" + 1));
	  const char *s = zero ? "a" : "b"; out(*s); out(sizeof(u8[3])); out(sizeof(int (*)[3]));
	  out(sizeof(int *[3])); int (*fp)(void) = 0; out(fp == (void *)0);
	  out(sizeof(int (*(*)(int))(char))); }
	{ out(-1 < (u8)1); out(-1 < 1u); out(-1L < 1u); out(-1L < 1ul); out((u16)65535 * (u16)65535 < 0);
	  out((u8)255 == (s8)-1); out(0u - 1 == -1); out(~0u == -1); out(~0u == -1L); out((u8)~0 == 255);
	  out(!0 == 1); out(1 < 2 < 1); out(5 & 3 == 3); out(1 << 2 + 1); out(-1 >> 1 == -1);
	  out(10 - 4 - 3); out(2 + 3 * 4 % 5); out(1 | 2 ^ 3 & 4); out(!one == 0); out(~one + 1);
	  out(- -one); out(-~one); }
	{ int n = 0; for (int i = 0, j = 10; i < j; i++, j--) n += j - i; out(n); int k = 0;
	  outer: while (1) { while (1) { if (++k > 5) goto end; if (k & 1) continue; break;
	  } } end: out(k); do { if (k == 8) break; k++; continue; } while (k < 20); out(k); }
	{ int x = 0; x += x++ + 0; int a[2] = { 1, 2 }, i = 0; a[i++] += 10; out(a[0]); out(i); a[--i]++;
	  out(a[0]); int *p = a; *p++ |= 0x100; out(a[0]); out(p - a); struct pt s = { 1, 2 }, *q = &s;
	  q->x += q->y; out(s.x); (*q).y--; out(s.y); q++->x = 50; out(s.x); out(q - &s); }
	{ s64 d = (u64)5 - 7 >> 1; out(d); out((s64)(5u - 7) >> 1); out((5u - 7) / 2);
	  out((int)(5u - 7) / 2); u64 big = ~0UL; out(big / 10); out(big % 1000); out((s64)big / 10);
	  out(big >> 63); out((s64)big >> 63); out(big * big); out(0x100000000UL * 0x100000000UL);
	  out((__int128)big * big >> 64); out((unsigned __int128)big * big >> 64);
	  out((u64)((unsigned __int128)1 << 100 >> 90)); out(sizeof(__int128)); }
	{ out(({ __label__ a; int r = 0; a: if (r++ < 3) goto a; r; })); out(({ int x = 1; ({ int x = 2; x;
	  }) + x; })); out(({ 1; 2; })); int k = 0; if (({ k++; k; }) == 1) out(k); while (({ k++ < 4;
	  })) ; out(k); out(sizeof(({ (u8)1; }))); for (int i = ({ 3; }); i < ({ int z = 5; z; });
	  i++) out(i); }
	{ int r = 0; for (int i = 0; i < 10; i++) switch (i) { case 2: continue; case 5: goto o;
	  default: r += i; } o: out(r); switch (1) case 1: out(8); switch (2) { { case 2: out(3);
	  } } int z = 3; switch (z) { case 1 ... 2: out(1); break; case 3: { int q = 4; out(q);
	  } /* fall */ case 4: out(44); } switch ((u8)300) { case 44: out(5);
	  } switch (-1L) { case -1: out(6); } switch (0xffffffffu) { case -1: out(7); } }
	return 0;
}
