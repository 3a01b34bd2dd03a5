import type { ReadFile } from '../../../src/frontend/kernel-c/read-file.ts';

/**
 * A tree in kernel style, written by us: a stage-2 unmap of three levels with the names that the v5.8
 * profile asks for, an ops table, an alternative, and a flush in the right place.
 */
export const SMALL_TREE: Readonly<Record<string, string>> = {
  'include/linux/kconfig.h': '#include <generated/autoconf.h>\n',
  'include/linux/compiler_types.h': '#define __noinline __attribute__((noinline))\n',
  'arch/arm64/include/asm/small.h': `
typedef unsigned char u8;
typedef unsigned int u32;
typedef unsigned long u64;
typedef u64 phys_addr_t;

#define PAGE_SIZE 4096UL
#define WARN_ON(x) \\
	warn(#x, x)
#define READ_ONCE(x) (*(const volatile typeof(x) *)&(x))
#define WRITE_ONCE(x, v) (*(volatile typeof(x) *)&(x) = (v))

#define ALTERNATIVE(before, with, cap) \\
	"661:\\n\\t" before "\\n662:\\n" \\
	".pushsection .altinstructions,\\"a\\"\\n" \\
	" .word 661b - .\\n .word 663f - .\\n .hword " #cap "\\n" \\
	".popsection\\n.subsection 1\\n663:\\n\\t" with "\\n664:\\n\\t.previous\\n"
#define NUMBERED(before, with, cap) \\
	".if 1 == 1\\n" ALTERNATIVE(before, with, cap) ".endif\\n"

#define ARM64_HAS_STAGE2_FWB 3
#define ARM64_WORKAROUND_REPEAT_TLBI 4
#define HCR_TGE (1UL << 27)
#define HCR_HOST_VHE_FLAGS ((1UL << 31) | HCR_TGE | (1UL << 34))
#define VTCR_EL2_HA (1 << 21)
#define VTCR_EL2_LVLS_TO_SL0(levels) ((2UL - (4 - (levels))) << 6)
#define ICACHEF_VPIPT 1

#define dsb(option) asm volatile("dsb " #option : : : "memory")
#define isb() asm volatile("isb" : : : "memory")
#define tlbi(op) \\
	asm volatile("tlbi " #op "\\n" NUMBERED("nop", "dsb ish\\n\\ttlbi " #op, 4) : :)
#define tlbi_at(op, at) \\
	asm volatile("tlbi " #op ", %0\\n" NUMBERED("nop", "dsb ish\\n\\ttlbi " #op ", %0", 4) : : "r"(at))
#define read_sysreg(name) \\
	({ u64 __value; asm volatile("mrs %0, " #name : "=r"(__value)); __value; })
#define write_sysreg(value, name) \\
	do { u64 __value = (value); asm volatile("msr " #name ", %x0" : : "rZ"(__value)); } while (0)

struct page { u64 flags; u64 private_words[6]; u32 count; u32 spare; };
typedef struct { int word; } spinlock_t;
struct kvm_vmid { u64 generation; u32 vmid; };
struct kvm_arch { struct kvm_vmid vmid; u64 *pgd; phys_addr_t pgd_phys; u64 vtcr; };
struct kvm { spinlock_t mmu_lock; struct kvm_arch arch; };

extern struct page *vmemmap;
extern u64 physvirt_offset;

#define __va(pa) ((void *)((u64)(pa) - physvirt_offset))
#define __pa(va) ((u64)(va) + physvirt_offset)
#define virt_to_page(va) (vmemmap + (__pa(va) >> 12))

void _raw_spin_lock(spinlock_t *lock);
void _raw_spin_unlock(spinlock_t *lock);
#define spin_lock(lock) _raw_spin_lock(lock)
#define spin_unlock(lock) _raw_spin_unlock(lock)
int __cond_resched_lock(spinlock_t *lock);
int cpus_have_const_cap(int number);
void put_page(struct page *page);
static inline int page_count(struct page *page)
{
	return READ_ONCE(page->count);
}
void free_pages(unsigned long address, unsigned int order);
void __flush_dcache_area(void *address, u64 size);

void flush_ipa(struct kvm *kvm, phys_addr_t ipa);
`,
  'arch/arm64/kvm/mmu.c': `#include <asm/small.h>

#define OUTPUT 0x0000fffffffff000UL

struct flush_ops {
	void (*one)(struct kvm *kvm, phys_addr_t ipa);
};

static const struct flush_ops flush_ops = {
	.one = flush_ipa,
};

static void clean_page(phys_addr_t page)
{
	if (!cpus_have_const_cap(ARM64_HAS_STAGE2_FWB))
		__flush_dcache_area(__va(page), PAGE_SIZE);
}

static void unmap_leaf(struct kvm *kvm, u64 *slot, phys_addr_t ipa)
{
	u64 old = READ_ONCE(*slot);

	WRITE_ONCE(*slot, 0);
	flush_ops.one(kvm, ipa);
	clean_page(old & OUTPUT);
	put_page(virt_to_page(slot));
}

static void unmap_table(struct kvm *kvm, u64 *table, int shift,
			phys_addr_t ipa, phys_addr_t end)
{
	while (ipa < end) {
		phys_addr_t next = (ipa | ((1UL << shift) - 1)) + 1;
		u64 *slot = table + ((ipa >> shift) & (shift == 30 ? 1023 : 511));
		u64 entry = READ_ONCE(*slot);

		if (next > end)
			next = end;
		if (entry && shift > 12) {
			u64 *child = __va(entry & OUTPUT);

			unmap_table(kvm, child, shift - 9, ipa, next);
			if (page_count(virt_to_page(child)) == 1) {
				WRITE_ONCE(*slot, 0);
				flush_ops.one(kvm, ipa);
				free_pages((unsigned long)child, 0);
				put_page(virt_to_page(slot));
			}
		} else if (entry) {
			unmap_leaf(kvm, slot, ipa);
		}
		if (shift == 30 && next != end)
			__cond_resched_lock(&kvm->mmu_lock);
		ipa = next;
	}
}

static void unmap_stage2_range(struct kvm *kvm, phys_addr_t start, u64 size)
{
	unmap_table(kvm, kvm->arch.pgd, 30, start, start + size);
}
`,
  'arch/arm64/kvm/hyp/tlb.c': `#include <asm/small.h>

void flush_ipa(struct kvm *kvm, phys_addr_t ipa)
{
	dsb(ishst);
	write_sysreg(kvm->arch.vtcr, vtcr_el2);
	write_sysreg((u64)kvm->arch.vmid.vmid << 48 | kvm->arch.pgd_phys, vttbr_el2);
	write_sysreg(read_sysreg(hcr_el2) & ~HCR_TGE, hcr_el2);
	isb();
	tlbi_at(ipas2e1is, ipa >> 12);
	dsb(ish);
	tlbi(vmalle1is);
	dsb(ish);
	write_sysreg(0, vttbr_el2);
	write_sysreg(HCR_HOST_VHE_FLAGS, hcr_el2);
	isb();
}
`,
};

export const readSmallTree: ReadFile = (path) => SMALL_TREE[path] ?? null;

/** The same tree with one text replaced by another in a file; both must differ. */
export function changed(path: string, from: string, to: string): ReadonlyMap<string, string> {
  const before = SMALL_TREE[path] ?? '';
  if (!before.includes(from)) throw new Error(`${path} does not hold ${from}`);
  return new Map([[path, before.replace(from, to)]]);
}
