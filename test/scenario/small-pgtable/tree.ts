import type { ReadFile } from '../../../src/frontend/kernel-c/read-file.ts';

/**
 * A tree in kernel style, written by us: a page-table library with an ops table, one walker for map and
 * unmap, and hyp calls, under the names that the pgtable profiles ask for.
 */
const HEADER = `
typedef unsigned char u8;
typedef unsigned int u32;
typedef unsigned long u64;
typedef u64 phys_addr_t;
typedef u64 gfn_t;
typedef unsigned long size_t;
typedef _Bool bool;
#define true 1
#define NULL ((void *)0)
#define __always_inline inline __attribute__((always_inline))

#define PAGE_SHIFT 12
#define PAGE_SIZE (1UL << PAGE_SHIFT)
#define PMD_SIZE (1UL << 21)
#define PTRS_PER_PTE 512
#define PAGE_OFFSET 0xffff000000000000UL
#define VMEMMAP_START 0xfffffc0000000000UL
#define READ_ONCE(x) (*(const volatile typeof(x) *)&(x))
#define WRITE_ONCE(x, v) (*(volatile typeof(x) *)&(x) = (v))

#define ARM64_HAS_STAGE2_FWB 1
#define ARM64_HAS_VIRT_HOST_EXTN 2
#define ARM64_HAS_TLB_RANGE 3
#define ICACHEF_ALIASING 0
#define HCR_TGE (1UL << 27)
#define HCR_HOST_VHE_FLAGS ((1UL << 31) | HCR_TGE | (1UL << 34))
#define SYS_ID_AA64MMFR0_EL1 0x180700
#define SYS_ID_AA64MMFR1_EL1 0x180720

#define dsb(option) asm volatile("dsb " #option : : : "memory")
#define isb() asm volatile("isb" : : : "memory")
#define tlbi(op) asm volatile("tlbi " #op)
#define tlbi_at(op, at) asm volatile("tlbi " #op ", %0" : : "r"(at))
#define read_sysreg(name) ({ u64 __v; asm volatile("mrs %0, " #name : "=r"(__v)); __v; })
#define write_sysreg(value, name) \\
	do { u64 __v = (value); asm volatile("msr " #name ", %x0" : : "rZ"(__v)); } while (0)
#define smp_store_release(p, v) \\
	asm volatile("stlr %x1, %0" : "=Q"(*(p)) : "rZ"(v) : "memory")

bool cpus_have_final_cap(int number);
bool has_vhe(void);
u64 read_sanitised_ftr_reg(u32 id);

typedef struct { long counter; } atomic64_t;
#define atomic64_set(v, i) WRITE_ONCE((v)->counter, (i))
#define atomic64_read(v) READ_ONCE((v)->counter)

struct rcu_head { struct rcu_head *next; void (*func)(struct rcu_head *head); };
typedef void (*rcu_callback_t)(struct rcu_head *head);
void call_rcu(struct rcu_head *head, rcu_callback_t func);
struct page { u64 flags; struct rcu_head rcu_head; u64 private; u64 more[4]; };
#define vmemmap ((struct page *)VMEMMAP_START)
#define __pa(va) ((u64)(va) - PAGE_OFFSET)
#define __va(pa) ((void *)((u64)(pa) + PAGE_OFFSET))
#define virt_to_page(va) (vmemmap + (__pa(va) >> PAGE_SHIFT))
void get_page(struct page *page);
void put_page(struct page *page);
int page_count(struct page *page);
void *alloc_pages_exact(size_t size, u32 flags);
void dcache_clean_inval_poc(unsigned long start, unsigned long end);

#define KVM_HAVE_MMU_RWLOCK
typedef struct { int word; } rwlock_t;
void _raw_write_lock(rwlock_t *lock);
void _raw_write_unlock(rwlock_t *lock);
#define write_lock(lock) _raw_write_lock(lock)
#define write_unlock(lock) _raw_write_unlock(lock)
int __cond_resched_rwlock_write(rwlock_t *lock);

struct kvm_mmu_memory_cache { int nobjs; void **objects; };
void *kvm_mmu_memory_cache_alloc(struct kvm_mmu_memory_cache *cache);

enum kvm_pgtable_prot { KVM_PGTABLE_PROT_X = 1, KVM_PGTABLE_PROT_W = 2, KVM_PGTABLE_PROT_R = 4 };
struct kvm_pgtable_mm_ops {
	void *(*zalloc_page)(void *arg);
	void (*get_page)(void *addr);
	void (*put_page)(void *addr);
	int (*page_count)(void *addr);
	void (*clean)(void *addr, size_t size);
};
struct kvm_arch;
struct kvm_pgtable { u64 *pgd; struct kvm_pgtable_mm_ops *mm_ops; struct kvm_s2_mmu *mmu; };
struct kvm_vmid { atomic64_t id; };
struct kvm_s2_mmu {
	struct kvm_vmid vmid;
	phys_addr_t pgd_phys;
	struct kvm_pgtable *pgt;
	u64 vtcr;
	struct kvm_arch *arch;
};
struct kvm_arch { struct kvm_s2_mmu mmu; };
struct kvm { rwlock_t mmu_lock; struct kvm_arch arch; };
struct kvm_gfn_range { gfn_t start, end; bool may_block; };

u64 kvm_get_vtcr(u64 mmfr0, u64 mmfr1, u32 bits);
int kvm_pgtable_stage2_init(struct kvm_pgtable *pgt, struct kvm_s2_mmu *mmu,
			    struct kvm_pgtable_mm_ops *ops);
int kvm_pgtable_stage2_map(struct kvm_pgtable *pgt, u64 addr, u64 size, u64 phys,
			   enum kvm_pgtable_prot prot, void *cache);
int kvm_pgtable_stage2_unmap(struct kvm_pgtable *pgt, u64 addr, u64 size);
void flush_ipa(struct kvm_s2_mmu *mmu, phys_addr_t ipa);

#define kvm_call_hyp_nvhe(f, ...) f(__VA_ARGS__)
#define kvm_call_hyp(f, ...) \\
	do { if (has_vhe()) { f(__VA_ARGS__); isb(); } else kvm_call_hyp_nvhe(f, __VA_ARGS__); } while (0)
`;

const MMU = `#include <asm/small.h>

static void *take_page(void *arg) { return kvm_mmu_memory_cache_alloc(arg); }
static void hold(void *addr) { get_page(virt_to_page(addr)); }
static void drop(void *addr) { put_page(virt_to_page(addr)); }
static int holders(void *addr) { return page_count(virt_to_page(addr)); }
static void clean(void *addr, size_t size)
{
	dcache_clean_inval_poc((unsigned long)addr, (unsigned long)addr + size);
}

static struct kvm_pgtable_mm_ops kvm_s2_mm_ops = {
	.zalloc_page = take_page,
	.get_page = hold,
	.put_page = drop,
	.page_count = holders,
	.clean = clean,
};

bool kvm_unmap_gfn_range(struct kvm *kvm, struct kvm_gfn_range *range)
{
	kvm_pgtable_stage2_unmap(kvm->arch.mmu.pgt, range->start << PAGE_SHIFT,
				 (range->end - range->start) << PAGE_SHIFT);
	return 0;
}
`;

const PGTABLE = `#include <asm/small.h>

#define OUTPUT 0x0000fffffffff000UL

u64 kvm_get_vtcr(u64 mmfr0, u64 mmfr1, u32 bits)
{
	return ((mmfr0 & 7) << 16) | (1UL << 6) | (64 - bits);
}

int kvm_pgtable_stage2_init(struct kvm_pgtable *pgt, struct kvm_s2_mmu *mmu,
			    struct kvm_pgtable_mm_ops *ops)
{
	pgt->pgd = alloc_pages_exact(2 * PAGE_SIZE, 0);
	pgt->mm_ops = ops;
	pgt->mmu = mmu;
	return 0;
}

static u64 leaf_of(u64 phys, int shift, enum kvm_pgtable_prot prot)
{
	u64 type = cpus_have_final_cap(ARM64_HAS_STAGE2_FWB) ? 0x6UL << 2 : 0xfUL << 2;
	u64 entry = phys | type | (3UL << 8) | (1UL << 10) | (shift == 12 ? 3 : 1);

	if (prot & KVM_PGTABLE_PROT_R)
		entry |= 1UL << 6;
	if (prot & KVM_PGTABLE_PROT_W)
		entry |= 1UL << 7;
	return entry;
}

int kvm_pgtable_stage2_map(struct kvm_pgtable *pgt, u64 addr, u64 size, u64 phys,
			   enum kvm_pgtable_prot prot, void *cache)
{
	for (; size; addr += PAGE_SIZE, phys += PAGE_SIZE, size -= PAGE_SIZE) {
		u64 *table = pgt->pgd;
		int shift;

		for (shift = 30; shift > 12; shift -= 9) {
			u64 *slot = table + ((addr >> shift) & (shift == 30 ? 1023 : 511));

			if (!READ_ONCE(*slot)) {
				u64 *child = pgt->mm_ops->zalloc_page(cache);

				smp_store_release(slot, __pa(child) | 3);
				pgt->mm_ops->get_page(slot);
			}
			table = __va(READ_ONCE(*slot) & OUTPUT);
		}
		table += (addr >> 12) & 511;
		smp_store_release(table, leaf_of(phys, 12, prot));
		pgt->mm_ops->get_page(table);
	}
	dsb(ishst);
	return 0;
}

static void unmap_below(struct kvm_pgtable *pgt, u64 *table, int shift, u64 addr, u64 end)
{
	struct kvm_pgtable_mm_ops *ops = pgt->mm_ops;

	while (addr < end) {
		u64 next = (addr | ((1UL << shift) - 1)) + 1;
		u64 *slot = table + ((addr >> shift) & (shift == 30 ? 1023 : 511));
		u64 entry = READ_ONCE(*slot);
		u64 *below = __va(entry & OUTPUT);

		if (next > end)
			next = end;
		if (entry && shift > 12)
			unmap_below(pgt, below, shift - 9, addr, next);
		if (entry && (shift == 12 || ops->page_count(below) == 1)) {
			WRITE_ONCE(*slot, 0);
			kvm_call_hyp(flush_ipa, pgt->mmu, addr);
			if (shift == 12 && !cpus_have_final_cap(ARM64_HAS_STAGE2_FWB))
				ops->clean(below, PAGE_SIZE);
			if (shift > 12)
				ops->put_page(below);
			ops->put_page(slot);
		}
		addr = next;
	}
}

int kvm_pgtable_stage2_unmap(struct kvm_pgtable *pgt, u64 addr, u64 size)
{
	unmap_below(pgt, pgt->pgd, 30, addr, addr + size);
	return 0;
}
`;

const load = `	write_sysreg(mmu->vtcr, vtcr_el2);
	write_sysreg((u64)atomic64_read(&mmu->vmid.id) << 48 | mmu->pgd_phys, vttbr_el2);
`;
const invalidate = `	isb();
	tlbi_at(ipas2e1is, ipa >> 12);
	dsb(ish);
	tlbi(vmalle1is);
	dsb(ish);
	write_sysreg(0, vttbr_el2);
`;

const VHE_TLB = `#include <asm/small.h>

void flush_ipa(struct kvm_s2_mmu *mmu, phys_addr_t ipa)
{
	dsb(ishst);
${load}	write_sysreg(read_sysreg(hcr_el2) & ~HCR_TGE, hcr_el2);
${invalidate}	write_sysreg(HCR_HOST_VHE_FLAGS, hcr_el2);
	isb();
}
`;

const NVHE_TLB = `#include <asm/small.h>

void flush_ipa(struct kvm_s2_mmu *mmu, phys_addr_t ipa)
{
	dsb(ishst);
${load}${invalidate}}
`;

const FILES: Readonly<Record<string, string>> = {
  'include/linux/kconfig.h': '#include <generated/autoconf.h>\n',
  'include/linux/compiler_types.h': '#define __noinline __attribute__((noinline))\n',
  'arch/arm64/include/asm/small.h': HEADER,
  // No unit includes these: names are looked up in them.
  'arch/arm64/include/asm/kvm_host.h': HEADER,
  'arch/arm64/include/asm/kvm_pgtable.h': HEADER,
  'arch/arm64/kvm/mmu.c': MMU,
  'arch/arm64/kvm/hyp/pgtable.c': PGTABLE,
  'arch/arm64/kvm/hyp/vhe/tlb.c': VHE_TLB,
  'arch/arm64/kvm/hyp/nvhe/tlb.c': NVHE_TLB,
};

/** Reads the small tree. */
export const readSmallPgtable: ReadFile = (path) => FILES[path] ?? null;
