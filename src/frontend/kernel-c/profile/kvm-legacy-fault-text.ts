import type { ReadFile } from '../read-file.ts';
import {
  ABORTS,
  BACKING_TEXT,
  KVM_MAIN,
  lookUpParameters,
  NOTIFIER_TEXT,
} from './kvm-fault-text.ts';

/** Whether a tree's fault path and notifier have the names that the text below asks for. */
export function hasLegacyFaults(read: ReadFile): boolean {
  const main = read(KVM_MAIN) ?? '';
  return (
    lookUpParameters(main) !== null &&
    /\bkvm_mmu_notifier_change_pte\s*\(/.test(main) &&
    /\bmmu_notifier_seq;/.test(read('include/linux/kvm_host.h') ?? '') &&
    /^int kvm_handle_guest_abort\(struct kvm_vcpu \*vcpu, struct kvm_run \*run\)/m.test(
      read('arch/arm64/kvm/mmu.c') ?? '',
    )
  );
}

/** Stands at the end of `kvm_main.c`, whose notifier functions are static. */
export const LEGACY_NOTIFIER_TEXT = `${NOTIFIER_TEXT}
void tlbgate_change_pte(struct mmu_notifier *mn, unsigned long address, pte_t pte)
{
	kvm_mmu_notifier_change_pte(mn, NULL, address, pte);
}

int tlbgate_clear_flush_young(struct mmu_notifier *mn, unsigned long start, unsigned long end)
{
	return kvm_mmu_notifier_clear_flush_young(mn, NULL, start, end);
}
`;

/**
 * C text behind that of the profile: vCPUs whose faults the tree's own code handles, and the MMU notifier of
 * the tree. Both see the same counters of the VM, in memory. What belongs to the host's own memory
 * management is ours: a page of the guest is backed by a word that both CPUs see.
 */
export function legacyFaultText(read: ReadFile): string {
  return `
extern int tlbgate_notifier_start(struct mmu_notifier *mn, const struct mmu_notifier_range *range);
extern void tlbgate_notifier_end(struct mmu_notifier *mn, const struct mmu_notifier_range *range);
extern void tlbgate_change_pte(struct mmu_notifier *mn, unsigned long address, pte_t pte);
extern int tlbgate_clear_flush_young(struct mmu_notifier *mn, unsigned long start, unsigned long end);

static struct task_struct tlbgate_task;
static struct vm_area_struct tlbgate_vma;
static struct hstate tlbgate_hstate;
static struct kvm_run tlbgate_run;
static struct kvm_vcpu tlbgate_other_vcpu;
static bool tlbgate_is_transparent;
/* What the host's own tables say: the page behind each page of the slot, in words that all CPUs share. */
static u64 *tlbgate_backing[4];

struct task_struct *tlbgate_for_get_current(void)
{
	return &tlbgate_task;
}

void tlbgate_for_mmap_read_lock(struct mm_struct *mm)
{
}

void tlbgate_for_mmap_read_unlock(struct mm_struct *mm)
{
}

/* One area of the process holds the slot. */
struct vm_area_struct *tlbgate_for_find_vma(struct mm_struct *mm, unsigned long addr)
{
	tlbgate_vma.vm_start = TLBGATE_HVA;
	tlbgate_vma.vm_end = TLBGATE_HVA + (the_slot->npages << PAGE_SHIFT);
	return addr < tlbgate_vma.vm_end ? &tlbgate_vma : NULL;
}

struct hstate *tlbgate_for_hstate_vma(struct vm_area_struct *vma)
{
	return &tlbgate_hstate;
}

bool tlbgate_for_kvm_is_transparent_hugepage(kvm_pfn_t pfn)
{
	return tlbgate_is_transparent;
}

/* Any way of looking a page up ends in reading an entry of the host's own tables. */
kvm_pfn_t tlbgate_for___gfn_to_pfn_memslot(${lookUpParameters(read(KVM_MAIN) ?? '') ?? 'void'})
{
	if (writable)
		*writable = true;
	return READ_ONCE(*tlbgate_backing[gfn - slot->base_gfn]) >> PAGE_SHIFT;
}

/* References of data pages and the dirty log are not modelled. */
void tlbgate_for_kvm_get_pfn(kvm_pfn_t pfn)
{
}

void tlbgate_for_kvm_set_pfn_dirty(kvm_pfn_t pfn)
{
}

void tlbgate_for_kvm_release_pfn_clean(kvm_pfn_t pfn)
{
}

void tlbgate_for_mark_page_dirty_in_slot(struct kvm_memory_slot *memslot, gfn_t gfn)
{
}

static void tlbgate_make_vcpu(struct kvm_vcpu *vcpu)
{
	vcpu->kvm = the_kvm;
	fill_cache(&vcpu->arch.mmu_page_cache, 2 * kvm_mmu_cache_min_pages(the_kvm));
}

/*
 * For setup(): what backs the next page of the slot, and a vCPU that may fault on it. Pages of a slot lie
 * one after the other; one that memory_slot() has made may have more of them.
 */
static void backed_page(phys_addr_t ipa, phys_addr_t page)
{
	static int pages;

	if (!the_slot->npages)
		memory_slot(ipa, PAGE_SIZE);
	if (!pages) {
		tlbgate_make_vcpu(&tlbgate_vcpu);
		tlbgate_make_vcpu(&tlbgate_other_vcpu);
		shared(&tlbgate_vm.mmu_notifier_seq, sizeof(tlbgate_vm.mmu_notifier_seq));
		shared(&tlbgate_vm.mmu_notifier_count, sizeof(tlbgate_vm.mmu_notifier_count));
	}
	if (ipa >> PAGE_SHIFT != the_slot->base_gfn + pages)
		__tlbgate_bug();
	tlbgate_backing[pages++] = shared_word(page);
	if (the_slot->npages < pages)
		the_slot->npages = pages;
}

/* For setup(): the host backs the slot with blocks of this size, of hugetlbfs. */
static void backed_by_hugetlb(u64 size)
{
	tlbgate_vma.vm_flags = VM_HUGETLB;
	tlbgate_hstate.order = ilog2(size) - PAGE_SHIFT;
	tlbgate_hstate.mask = ~(size - 1);
}

/* For setup(): the host backs the slot with transparent huge pages. */
static void backed_by_huge_pages(void)
{
	tlbgate_is_transparent = true;
}

/* For setup(): the host logs which pages of the slot are written. */
static void writes_are_logged(void)
{
	static unsigned long bitmap;

	the_slot->dirty_bitmap = &bitmap;
}

${BACKING_TEXT}
/* What the reset of a vCPU does to the memory of its VM. */
static void memory_is_unmapped(void)
{
	stage2_unmap_vm(the_kvm);
}

/* The host has another page there, for reading only: of the same contents, or a copy. */
static void page_changes(phys_addr_t ipa, phys_addr_t page)
{
	backed_by(ipa, page);
	tlbgate_change_pte(&the_kvm->mmu_notifier,
			   TLBGATE_HVA + (ipa - (the_slot->base_gfn << PAGE_SHIFT)),
			   pfn_pte(page >> PAGE_SHIFT, PAGE_READONLY));
}

/* The host looks for pages that are not used, and wants an answer that is not cached. */
static int age_and_flush(phys_addr_t ipa, u64 size)
{
	unsigned long start = TLBGATE_HVA + (ipa - (the_slot->base_gfn << PAGE_SHIFT));

	return tlbgate_clear_flush_young(&the_kvm->mmu_notifier, start, start + size);
}

${ABORTS}
/* A vCPU has left the guest with this syndrome. */
static void tlbgate_abort(struct kvm_vcpu *vcpu, phys_addr_t ipa, u64 syndrome)
{
	vcpu->arch.fault.esr_el2 = syndrome;
	vcpu->arch.fault.hpfar_el2 = (ipa >> PAGE_SHIFT) << 4;
	if (kvm_handle_guest_abort(vcpu, &tlbgate_run) != 1)
		__tlbgate_bug();
}

static void guest_abort(phys_addr_t ipa, u64 syndrome)
{
	tlbgate_abort(&tlbgate_vcpu, ipa, syndrome);
}

/* For the second CPU of the host. */
static void other_abort(phys_addr_t ipa, u64 syndrome)
{
	tlbgate_abort(&tlbgate_other_vcpu, ipa, syndrome);
}
`;
}
