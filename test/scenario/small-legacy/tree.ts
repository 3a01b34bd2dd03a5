import type { ReadFile } from '../../../src/frontend/kernel-c/read-file.ts';
import { readSmallTree } from '../small-tree/tree.ts';

/**
 * The example tree with what maps, ages and write-protects, a fault path, an MMU notifier and VMIDs, in
 * kernel style and written by us, under the names that the scenario files of v5.8 rest on.
 */
const DECLARATIONS = `
typedef _Bool bool;
typedef unsigned long size_t;
typedef u64 gfn_t;
typedef u64 gpa_t;
typedef u64 kvm_pfn_t;
typedef u64 pte_t;
typedef u64 pmd_t;
typedef u64 pud_t;
typedef struct { long counter; } atomic64_t;
typedef struct { unsigned long bits[4]; } cpumask_t;
#define true 1
#define NULL ((void *)0)
#define SYS_ID_AA64MMFR1_EL1 0x180720
#define PAGE_SHIFT 12
#define PMD_SIZE (1UL << 21)
#define PUD_SIZE (1UL << 30)
#define PTRS_PER_PTE 512
#define PAGE_READONLY 0
#define VM_HUGETLB 0x400000UL
#define ilog2(value) (63 - __builtin_clzl(value))
#define ESR_ELx_EC_SHIFT 26
#define ESR_ELx_EC_DABT_LOW 0x24
#define ESR_ELx_EC_IABT_LOW 0x20
#define ESR_ELx_WNR (1UL << 6)
#define smp_store_release(p, v) \\
	asm volatile("stlr %x1, %0" : "=Q"(*(p)) : "rZ"(v) : "memory")

struct mm_struct;
struct task_struct { struct mm_struct *mm; };
struct vm_area_struct { unsigned long vm_start, vm_end, vm_flags; };
struct hstate { unsigned int order; unsigned long mask; };
struct mmu_notifier { int users; };
struct mmu_notifier_range { unsigned long start, end; unsigned int flags; };
#define MMU_NOTIFIER_RANGE_BLOCKABLE 1
struct kvm_memory_slot {
	gfn_t base_gfn;
	unsigned long npages, userspace_addr, *dirty_bitmap;
	short id;
};
struct kvm_memslots { int used_slots; struct kvm_memory_slot memslots[]; };
struct kvm {
	spinlock_t mmu_lock;
	struct kvm_arch arch;
	struct mmu_notifier mmu_notifier;
	struct kvm_memslots *memslots[1];
	unsigned long mmu_notifier_seq;
	long mmu_notifier_count;
};
struct kvm_mmu_memory_cache { int nobjs; void *objects[40]; };
struct kvm_run { int exit_reason; };
struct kvm_vcpu {
	struct kvm *kvm;
	struct {
		struct kvm_mmu_memory_cache mmu_page_cache;
		struct { u64 esr_el2, hpfar_el2; } fault;
	} arch;
};

void get_page(struct page *page);
void *alloc_pages_exact(size_t size, u32 flags);
void free_pages_exact(void *pages, size_t size);
bool kvm_is_transparent_hugepage(kvm_pfn_t pfn);
kvm_pfn_t __gfn_to_pfn_memslot(struct kvm_memory_slot *slot, gfn_t gfn, bool *writable);
void force_vm_exit(const cpumask_t *mask);
void flush_vmid(struct kvm *kvm);
void flush_everything(void);

#define stage2_pgtable_levels(bits) 3
#define kvm_mmu_cache_min_pages(kvm) 2
#define kvm_phys_size(kvm) (1UL << 40)
#define kvm_get_vttbr(kvm) ((u64)(kvm)->arch.vmid.vmid << 48 | (kvm)->arch.pgd_phys)

#define PAGE_S2 (cpus_have_const_cap(ARM64_HAS_STAGE2_FWB) ? 0x6UL << 2 : 0xfUL << 2)
#define LEAF(pfn, prot, type) ((pfn) << PAGE_SHIFT | (prot) | 3UL << 8 | 1UL << 10 | 1UL << 6 | (type))
#define WRITABLE (1UL << 7)
#define YOUNG (1UL << 10)
#define kvm_pfn_pte(pfn, prot) LEAF(pfn, prot, 3)
#define kvm_pfn_pmd(pfn, prot) LEAF(pfn, prot, 1)
#define kvm_pfn_pud(pfn, prot) LEAF(pfn, prot, 1)
#define pfn_pte(pfn, prot) LEAF(pfn, prot, 3)
#define kvm_pmd_mkhuge(entry) (entry)
#define kvm_pud_mkhuge(entry) (entry)
#define kvm_s2pte_mkwrite(entry) ((entry) | WRITABLE)
#define kvm_s2pmd_mkwrite(entry) ((entry) | WRITABLE)
#define kvm_s2pud_mkwrite(entry) ((entry) | WRITABLE)
#define kvm_s2pte_mkexec(entry) (entry)
#define kvm_s2pmd_mkexec(entry) (entry)
#define kvm_s2pud_mkexec(entry) (entry)

int kvm_unmap_hva_range(struct kvm *kvm, unsigned long start, unsigned long end);
int kvm_age_hva(struct kvm *kvm, unsigned long start, unsigned long end);
int kvm_set_spte_hva(struct kvm *kvm, unsigned long hva, pte_t pte);
void kvm_flush_remote_tlbs(struct kvm *kvm);
`;

const MMU = `
static void clean_dcache_guest_page(kvm_pfn_t pfn, unsigned long size)
{
	clean_page(pfn << PAGE_SHIFT, size);
}

static void invalidate_icache_guest_page(kvm_pfn_t pfn, unsigned long size)
{
}

int kvm_alloc_stage2_pgd(struct kvm *kvm)
{
	kvm->arch.pgd = alloc_pages_exact(2 * PAGE_SIZE, 0);
	kvm->arch.pgd_phys = __pa(kvm->arch.pgd);
	return 0;
}

static u64 *entry_in(u64 *table, phys_addr_t ipa, int shift)
{
	return table + ((ipa >> shift) & (shift == 30 ? 1023 : 511));
}

static void break_entry(struct kvm *kvm, u64 *slot, phys_addr_t ipa)
{
	WRITE_ONCE(*slot, 0);
	flush_ops.one(kvm, ipa);
}

static int set_leaf(struct kvm *kvm, struct kvm_mmu_memory_cache *cache, phys_addr_t ipa, u64 leaf,
		    int level_shift)
{
	phys_addr_t start = ipa & ~((1UL << level_shift) - 1);
	u64 *slot, *table, *child;
	int shift;

again:
	table = kvm->arch.pgd;
	for (shift = 30; shift > level_shift; shift -= 9) {
		slot = entry_in(table, ipa, shift);
		if (READ_ONCE(*slot) && !(READ_ONCE(*slot) & TABLE)) {
			break_entry(kvm, slot, ipa);
			put_page(virt_to_page(slot));
		}
		if (!READ_ONCE(*slot)) {
			child = cache->objects[--cache->nobjs];
			WRITE_ONCE(*slot, __pa(child) | 3);
			dsb(ishst);
			get_page(virt_to_page(slot));
		}
		table = __va(READ_ONCE(*slot) & OUTPUT);
	}
	slot = entry_in(table, ipa, level_shift);
	if (READ_ONCE(*slot) == leaf)
		return 0;
	if (level_shift > 12 && (READ_ONCE(*slot) & TABLE)) {
		unmap_stage2_range(kvm, start, 1UL << level_shift);
		goto again;
	}
	if (READ_ONCE(*slot))
		break_entry(kvm, slot, ipa);
	else
		get_page(virt_to_page(slot));
	WRITE_ONCE(*slot, leaf);
	dsb(ishst);
	return 0;
}

static int stage2_set_pte(struct kvm *kvm, struct kvm_mmu_memory_cache *cache, phys_addr_t ipa,
			  const pte_t *pte, unsigned long flags)
{
	return set_leaf(kvm, cache, ipa, *pte, 12);
}

static int stage2_set_pmd_huge(struct kvm *kvm, struct kvm_mmu_memory_cache *cache, phys_addr_t ipa,
			       const pmd_t *pmd)
{
	return set_leaf(kvm, cache, ipa, *pmd, 21);
}

static int stage2_set_pud_huge(struct kvm *kvm, struct kvm_mmu_memory_cache *cache, phys_addr_t ipa,
			       const pud_t *pud)
{
	return set_leaf(kvm, cache, ipa, *pud, 30);
}

void kvm_arch_flush_shadow_all(struct kvm *kvm)
{
	spin_lock(&kvm->mmu_lock);
	unmap_stage2_range(kvm, 0, kvm_phys_size(kvm));
	spin_unlock(&kvm->mmu_lock);
	free_pages_exact(kvm->arch.pgd, 2 * PAGE_SIZE);
}

/* The leaf entry of an address; NULL where there is none. */
static u64 *leaf_of(struct kvm *kvm, phys_addr_t ipa)
{
	u64 *slot = entry_in(kvm->arch.pgd, ipa, 30);
	int shift;

	for (shift = 21; READ_ONCE(*slot) & TABLE; shift -= 9) {
		slot = entry_in(__va(READ_ONCE(*slot) & OUTPUT), ipa, shift);
		if (shift == 12)
			break;
	}
	return READ_ONCE(*slot) ? slot : NULL;
}

void kvm_flush_remote_tlbs(struct kvm *kvm)
{
	kvm_call_hyp(flush_vmid, kvm);
}

static void stage2_wp_range(struct kvm *kvm, phys_addr_t ipa, phys_addr_t end)
{
	for (; ipa < end; ipa += PMD_SIZE) {
		u64 *leaf = leaf_of(kvm, ipa);

		if (leaf)
			WRITE_ONCE(*leaf, READ_ONCE(*leaf) & ~WRITABLE);
	}
}

void kvm_mmu_wp_memory_region(struct kvm *kvm, int id)
{
	struct kvm_memory_slot *slot = &kvm->memslots[0]->memslots[id];

	spin_lock(&kvm->mmu_lock);
	stage2_wp_range(kvm, slot->base_gfn << PAGE_SHIFT,
			(slot->base_gfn + slot->npages) << PAGE_SHIFT);
	spin_unlock(&kvm->mmu_lock);
	kvm_flush_remote_tlbs(kvm);
}

void kvm_arch_flush_shadow_memslot(struct kvm *kvm, struct kvm_memory_slot *slot)
{
	spin_lock(&kvm->mmu_lock);
	unmap_stage2_range(kvm, slot->base_gfn << PAGE_SHIFT, slot->npages << PAGE_SHIFT);
	spin_unlock(&kvm->mmu_lock);
}

void stage2_unmap_vm(struct kvm *kvm)
{
	kvm_arch_flush_shadow_memslot(kvm, &kvm->memslots[0]->memslots[0]);
}

static void handle_access_fault(struct kvm_vcpu *vcpu, phys_addr_t ipa)
{
	u64 *leaf;

	spin_lock(&vcpu->kvm->mmu_lock);
	leaf = leaf_of(vcpu->kvm, ipa);
	if (leaf)
		WRITE_ONCE(*leaf, READ_ONCE(*leaf) | YOUNG);
	spin_unlock(&vcpu->kvm->mmu_lock);
}

int kvm_handle_guest_abort(struct kvm_vcpu *vcpu, struct kvm_run *run)
{
	struct kvm *kvm = vcpu->kvm;
	struct kvm_memory_slot *slot = &kvm->memslots[0]->memslots[0];
	struct kvm_mmu_memory_cache *cache = &vcpu->arch.mmu_page_cache;
	gfn_t gfn = vcpu->arch.fault.hpfar_el2 >> 4;
	unsigned long seq;
	kvm_pfn_t pfn;
	bool writable;

	if ((vcpu->arch.fault.esr_el2 & 0x3c) == 8) {
		handle_access_fault(vcpu, gfn << PAGE_SHIFT);
		return 1;
	}
	seq = kvm->mmu_notifier_seq;
	pfn = __gfn_to_pfn_memslot(slot, gfn, &writable);
	spin_lock(&kvm->mmu_lock);
	if (kvm->mmu_notifier_count || kvm->mmu_notifier_seq != seq)
		goto out;
	clean_dcache_guest_page(pfn, PAGE_SIZE);
	if (kvm_is_transparent_hugepage(pfn))
		set_leaf(kvm, cache, gfn << PAGE_SHIFT,
			 kvm_pfn_pmd(pfn & ~511UL, PAGE_S2) | WRITABLE, 21);
	else
		set_leaf(kvm, cache, gfn << PAGE_SHIFT, kvm_pfn_pte(pfn, PAGE_S2) | WRITABLE, 12);
out:
	spin_unlock(&kvm->mmu_lock);
	return 1;
}

static int kvm_unmap_hva_handler(struct kvm *kvm, gpa_t gpa, u64 size, void *data)
{
	unmap_stage2_range(kvm, gpa, size);
	return 0;
}

static int kvm_age_hva_handler(struct kvm *kvm, gpa_t gpa, u64 size, void *data)
{
	u64 *leaf = leaf_of(kvm, gpa);

	if (!leaf || !(READ_ONCE(*leaf) & YOUNG))
		return 0;
	WRITE_ONCE(*leaf, READ_ONCE(*leaf) & ~YOUNG);
	return 1;
}

static int kvm_test_age_hva_handler(struct kvm *kvm, gpa_t gpa, u64 size, void *data)
{
	u64 *leaf = leaf_of(kvm, gpa);

	return leaf && (READ_ONCE(*leaf) & YOUNG);
}

static gpa_t gpa_of(struct kvm *kvm, unsigned long hva)
{
	struct kvm_memory_slot *slot = &kvm->memslots[0]->memslots[0];

	return (slot->base_gfn << PAGE_SHIFT) + hva - slot->userspace_addr;
}

int kvm_unmap_hva_range(struct kvm *kvm, unsigned long start, unsigned long end)
{
	return kvm_unmap_hva_handler(kvm, gpa_of(kvm, start), end - start, NULL);
}

int kvm_age_hva(struct kvm *kvm, unsigned long start, unsigned long end)
{
	return kvm_age_hva_handler(kvm, gpa_of(kvm, start), end - start, NULL);
}

int kvm_set_spte_hva(struct kvm *kvm, unsigned long hva, pte_t pte)
{
	kvm_pfn_t pfn = (pte & OUTPUT) >> PAGE_SHIFT;
	u64 *leaf = leaf_of(kvm, gpa_of(kvm, hva));

	clean_dcache_guest_page(pfn, PAGE_SIZE);
	if (!leaf)
		return 0;
	return set_leaf(kvm, NULL, gpa_of(kvm, hva), kvm_pfn_pte(pfn, PAGE_S2), 12);
}
`;

const TLB = `
void flush_vmid(struct kvm *kvm)
{
	dsb(ishst);
	write_sysreg(kvm->arch.vtcr, vtcr_el2);
	write_sysreg((u64)kvm->arch.vmid.vmid << 48 | kvm->arch.pgd_phys, vttbr_el2);
	write_sysreg(read_sysreg(hcr_el2) & ~HCR_TGE, hcr_el2);
	isb();
	tlbi(vmalls12e1is);
	dsb(ish);
	write_sysreg(0, vttbr_el2);
	write_sysreg(HCR_HOST_VHE_FLAGS, hcr_el2);
	isb();
}
`;

const ARM = `#include <asm/small.h>

static u32 kvm_next_vmid;

static void update_vmid(struct kvm_vmid *vmid)
{
	vmid->vmid = kvm_next_vmid++;
}
`;

const KVM_MAIN = `#include <linux/kvm_host.h>

#define kvm_of(mn) ((struct kvm *)((char *)(mn) - __builtin_offsetof(struct kvm, mmu_notifier)))

kvm_pfn_t __gfn_to_pfn_memslot(struct kvm_memory_slot *slot, gfn_t gfn, bool *writable)
{
	*writable = true;
	return 0;
}

static void kvm_mmu_notifier_change_pte(struct mmu_notifier *mn, struct mm_struct *mm,
					unsigned long address, pte_t pte)
{
	struct kvm *kvm = kvm_of(mn);

	spin_lock(&kvm->mmu_lock);
	kvm->mmu_notifier_seq++;
	kvm_set_spte_hva(kvm, address, pte);
	spin_unlock(&kvm->mmu_lock);
}

static int kvm_mmu_notifier_invalidate_range_start(struct mmu_notifier *mn,
						   const struct mmu_notifier_range *range)
{
	struct kvm *kvm = kvm_of(mn);

	spin_lock(&kvm->mmu_lock);
	kvm->mmu_notifier_count++;
	kvm_unmap_hva_range(kvm, range->start, range->end);
	spin_unlock(&kvm->mmu_lock);
	return 0;
}

static void kvm_mmu_notifier_invalidate_range_end(struct mmu_notifier *mn,
						  const struct mmu_notifier_range *range)
{
	struct kvm *kvm = kvm_of(mn);

	spin_lock(&kvm->mmu_lock);
	kvm->mmu_notifier_seq++;
	kvm->mmu_notifier_count--;
	spin_unlock(&kvm->mmu_lock);
}

static int kvm_mmu_notifier_clear_flush_young(struct mmu_notifier *mn, struct mm_struct *mm,
					      unsigned long start, unsigned long end)
{
	struct kvm *kvm = kvm_of(mn);
	int young;

	spin_lock(&kvm->mmu_lock);
	young = kvm_age_hva(kvm, start, end);
	if (young)
		kvm_flush_remote_tlbs(kvm);
	spin_unlock(&kvm->mmu_lock);
	return young;
}
`;

const HEADER = 'arch/arm64/include/asm/small.h';

/** Reads the small tree; `null` for what it does not have. */
export const readSmallLegacy: ReadFile = (path) => {
  const text = readSmallTree(path);
  switch (path) {
    case HEADER:
      // The functions of the example come after the types that they are declared with.
      return text?.replace(/struct kvm \{[^}]*\};/, 'struct kvm;') + DECLARATIONS;
    case 'include/linux/kvm_host.h':
      // The same, under the name in which members of struct kvm are looked up.
      return '#include <asm/small.h>\n/* mmu_notifier_seq; */\n';
    case 'arch/arm64/kvm/mmu.c':
      return text === null ? null : text + MMU;
    case 'arch/arm64/kvm/hyp/tlb.c':
      return text === null ? null : text + TLB;
    case 'arch/arm64/kvm/arm.c':
      return ARM;
    case 'virt/kvm/kvm_main.c':
      return KVM_MAIN;
    default:
      return text;
  }
};
