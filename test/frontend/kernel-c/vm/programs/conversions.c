/* Conversions, sizes and literals. What main() prints by out() is what the binary of gcc prints. */
extern void out(unsigned long);
typedef unsigned char u8; typedef unsigned short u16; typedef unsigned int u32;
  typedef unsigned long u64; typedef signed char s8; typedef long s64; typedef int s32;
static int zero; static int one = 1;
#define typeof __typeof__

int main(void)
{
	{ int a = 3; { int a = 4; out(a); } out(a); for (int a = 9; a < 10; a++) out(a); struct pt { int z;
	  } q = { 6 }; out(q.z); out(sizeof(struct pt)); typedef u8 u32; out(sizeof(u32));
	  { typedef int a_t; a_t z = 4; out(z);} out(a ? a > 2 ? 1 : 2 : 3); }
	{ out((int)(u8)-1); out((long)(int)0x80000000u); out((u64)(int)-1); out((u32)(long)-1);
	  out((u8)0x1ff + 0); out((s8)0x80); out((_Bool)256); out((int)(s8)(u8)200);
	  out((u64)(u32)-1 << 4); out((s64)(s32)(1u << 31)); out((long)(void *)-1 < 0);
	  out((void *)-1 > (void *)0); out((u64)(void *)(long)(int)-1); out((u64)(void *)(u64)(u32)-1);
	  out((u64)(-1 ? -1 : 1u)); out((u64)(1 ? -1 : 1u) >> 32); out(1 ? (s8)-1 : (u8)1); }
	{ static int st[2] = { sizeof(st), 3 }; out(st[0]); register int rg = 5; out(rg); auto int au = 6;
	  out(au); const int c = 7; out(c); int (yy) = 8; out(yy);
	  unsigned yz = 1, *yp = &yz, ya[2] = { 4, 5 }; out(*yp + ya[1]); long unsigned int long lu = 3;
	  out(sizeof(lu)); short sh = -1; out(sh); }
	{ extern int eo; out(1); { int eo = 4; out(eo); { extern int one2; } } }
	{ u64 a = 5; out(a++ + ++a > 0); s8 c = 127; out(c++); out(c); u8 d = 0; out(d--); out(d);
	  out(--d); out(++c); s64 l = 0x7fffffffffffffff; l++; out(l); u32 u = 0; u--; out(u);
	  out(u++ == 0xffffffff); out(u); u16 s = 65535; out(++s); out(s-- == 0); out(s); int *p = 0; p++;
	  out((u64)p); p -= 2; out((u64)p); void *v = 0; v++; out((u64)v); v += 8; out((u64)v);
	  char **q = 0; q += 3; out((u64)q); out((u64)(q - 1)); }
	{ u64 x = 0xf0; out(x & -x); out(x & (x - 1)); out(x ^ x >> 1); out(~x >> 60);
	  out((x << 60) >> 60); out((s64)(x << 56) >> 56); out(x * 0x0101010101010101UL);
	  out((u32)x * 0x10000001u); out(x / 7 * 7 + x % 7); out(-x / 3); out(-(s64)x / 3);
	  out(-(s64)x % 7); out((s32)0x80000000 / 2); out((s32)0x80000000 % 3); out(0x80000000 / 2);
	  out((s32)-1 >> 4); out((s8)0x80 >> 3); out((u8)0x80 >> 3); out((u8)0x80 << 25);
	  out((s64)((u8)0x80 << 24)); out(((u16)0xffff << 16) >> 16); out((u32)(u16)0xffff << 16 >> 31); }
	{ int i = 5; i = i++ + i; i = -i; out(i < 0); i = 3; int j = i-- - --i; out(i); long r = 0;
	  for (u8 k = 250; k >= 250; k++) r++; out(r); for (s8 k = 0; k >= 0; k++) r++; out(r); r = 0;
	  for (u32 k = 10; k-- > 0; ) r += k; out(r); u8 w = 5; while (w --> 0) r++; out(r); out(w);
	  do { r--; } while (r > 40 && r % 7); out(r); }
	{ struct { u8 a; u16 b; u8 c; u32 d; u8 e; u64 f; } s; out(sizeof(s));
	  out(__builtin_offsetof(typeof(s), f)); out((u64)&s.f - (u64)&s); struct { u8 a; struct { u16 x;
	  u8 y; } b; u8 c; } t; out(sizeof(t)); union { u8 a[5]; u32 b; } v; out(sizeof(v));
	  struct { u32 a:3; u8 b; u32 c:20; } w; out(sizeof(w)); struct { u8 a:3, b:6; } x; out(sizeof(x));
	  struct { u64 a:40; u32 b; } y; out(sizeof(y)); struct { u32 a:20; u64 b:40; } z; out(sizeof(z));
	  struct { u8 a; u64 b:40; u8 c; } zz; out(sizeof(zz)); struct {} em; out(sizeof(em));
	  struct { u8 a; } __attribute__((aligned(8))) al; out(sizeof(al)); struct { u16 a:9; u16 b:9;
	  } __attribute__((packed)) pk; out(sizeof(pk)); out(sizeof(struct { u64 a; char b[]; }));
	  out(sizeof(struct { u8 x; u32 y __attribute__((packed)); })); }
	{ const int c = 5; typeof(c) *p = &c; out(*p); typeof(&c) q = p; out(*q);
	  typeof(int[3]) arr = { 1, 2 }; out(sizeof(arr)); typeof(arr) brr = { 7 }; out(brr[0]);
	  typeof(out) *fn = out; fn(3); typeof(({ u8 z = 4; z; })) z = 300; out(z);
	  typeof(1 + (u8)1) y = -1; out(y < 0); typeof(one ? 1 : 1u) w = -1; out(w > 0);
	  typeof(*"a") ch = 255; out(ch); extern typeof(one) one; out(sizeof(typeof(u8 (*)[7])));
	  typeof(sizeof(int)) sz = -1; out(sz > 0); typeof(!one) nt = -1; out(nt < 0);
	  typeof(p - p) pd = -1; out(pd < 0); typeof((u8)1 << 1L) sh = -1; out(sizeof(sh)); out(sh < 0); }
	{ char a[] = "x\ty\x41\1012\"\\\'\?\a\e"; for (int i = 0; i < sizeof(a); i++) out(a[i]); out('\\');
	  out('\''); out('"'); out('\x7f'); out('\0'); out(sizeof("")); out(sizeof("a\0b"));
	  out("a" "\x1" "2"[2]); out(sizeof(L"ab")); out(L'a'); out(u'a'); out("ab"[0] == 'a');
	  const char *p = "abc" + 1; out(*p); out(*"q"); out("abc"[2] - 'a'); out(!"x"); }
	return 0;
}
