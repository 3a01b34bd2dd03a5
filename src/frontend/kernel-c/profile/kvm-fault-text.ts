import type { ReadFile } from '../read-file.ts';

const KVM_HOST = 'include/linux/kvm_host.h';

/** The unit with the MMU notifier. */
export const KVM_MAIN = 'virt/kvm/kvm_main.c';

/**
 * What the fault path and the notifier know of each other, by the names that kernels have for it; up to 6.0
 * they were counters of the notifier.
 */
const NOTIFIER_FIELDS: readonly string[] = [
  'mmu_invalidate_seq',
  'mmu_invalidate_in_progress',
  'mmu_invalidate_range_start',
  'mmu_invalidate_range_end',
  'mmu_notifier_seq',
  'mmu_notifier_count',
  'mmu_notifier_range_start',
  'mmu_notifier_range_end',
  'mn_active_invalidate_count',
];

/** How a tree's fault path asks the host for the page behind an address; found by probing. */
interface PageLookUp {
  readonly name: '__gfn_to_pfn_memslot' | '__kvm_faultin_pfn';
  /** As C; their number differs between kernels. */
  readonly parameters: string;
}

/** Whether a tree's fault path and notifier have the names that the text below asks for. */
export function hasFaultPath(read: ReadFile): boolean {
  const main = read(KVM_MAIN) ?? '';
  return (
    lookUpOf(main) !== null &&
    /\bkvm_mmu_notifier_invalidate_range_end\s*\(/.test(main) &&
    /\bmmu_(invalidate|notifier)_seq;/.test(read(KVM_HOST) ?? '') &&
    /^int kvm_handle_guest_abort\(struct kvm_vcpu \*vcpu\)/m.test(
      read('arch/arm64/kvm/mmu.c') ?? '',
    )
  );
}

/** The parameters of a page look-up; their number differs between kernels. */
export function lookUpParameters(
  main: string,
  name: PageLookUp['name'] = '__gfn_to_pfn_memslot',
): string | null {
  return new RegExp(`^kvm_pfn_t ${name}\\(([^)]*)\\)\\s*\\{`, 'm').exec(main)?.[1] ?? null;
}

/** The page look-up that all others end in. */
function lookUpOf(main: string): PageLookUp | null {
  for (const name of ['__kvm_faultin_pfn', '__gfn_to_pfn_memslot'] as const) {
    const parameters = lookUpParameters(main, name);
    if (parameters !== null) return { name, parameters };
  }
  return null;
}

/** Stands at the end of `kvm_main.c`, whose notifier functions are static. */
export const NOTIFIER_TEXT = `
int tlbgate_notifier_start(struct mmu_notifier *mn, const struct mmu_notifier_range *range)
{
	return kvm_mmu_notifier_invalidate_range_start(mn, range);
}

void tlbgate_notifier_end(struct mmu_notifier *mn, const struct mmu_notifier_range *range)
{
	kvm_mmu_notifier_invalidate_range_end(mn, range);
}
`;

/** What the host's memory management does to a page of `the_slot`, and tells `the_kvm` of it. */
export const BACKING_TEXT = `/* The host takes pages away: its memory management tells KVM before and after. */
static void notifier_begins(phys_addr_t ipa, u64 size)
{
	struct mmu_notifier_range range = { .flags = MMU_NOTIFIER_RANGE_BLOCKABLE };

	range.start = TLBGATE_HVA + (ipa - (the_slot->base_gfn << PAGE_SHIFT));
	range.end = range.start + size;
	tlbgate_notifier_start(&the_kvm->mmu_notifier, &range);
}

static void backed_by(phys_addr_t ipa, phys_addr_t page)
{
	WRITE_ONCE(*tlbgate_backing[(ipa >> PAGE_SHIFT) - the_slot->base_gfn], page);
}

static void notifier_ends(phys_addr_t ipa, u64 size)
{
	struct mmu_notifier_range range = { .flags = MMU_NOTIFIER_RANGE_BLOCKABLE };

	range.start = TLBGATE_HVA + (ipa - (the_slot->base_gfn << PAGE_SHIFT));
	range.end = range.start + size;
	tlbgate_notifier_end(&the_kvm->mmu_notifier, &range);
}

`;

/** Where the slots are in trees, by address and by frame number; before 5.17 they are in an array. */
const SLOT_TREE = `struct interval_tree_node *tlbgate_for_interval_tree_iter_first(struct rb_root_cached *root,
								unsigned long start, unsigned long last)
{
	unsigned long end = tlbgate_slot.userspace_addr + (tlbgate_slot.npages << PAGE_SHIFT);

	return start < end && last >= tlbgate_slot.userspace_addr ? &tlbgate_slot.hva_node[0] : NULL;
}

struct interval_tree_node *tlbgate_for_interval_tree_iter_next(struct interval_tree_node *node,
							       unsigned long start, unsigned long last)
{
	return NULL;
}

`;

/** Any way of looking a page up ends in reading an entry of the host's own tables. */
function lookUpText(lookUp: PageLookUp | null): string {
  if (lookUp === null) return '';
  const { name, parameters } = lookUp;
  // A page without a reference to give back: references of data pages are not modelled.
  const page = /\bstruct page \*\*(\w+)/.exec(parameters)?.[1];
  return `kvm_pfn_t tlbgate_for_${name}(${parameters})
{
	if (writable)
		*writable = true;
${page === undefined ? '' : `\t*${page} = NULL;\n`}	return READ_ONCE(*tlbgate_backing[gfn - slot->base_gfn]) >> PAGE_SHIFT;
}
`;
}

/** Syndromes of a vCPU that comes out of the guest. */
export const ABORTS = `#define TLBGATE_ABORT(class, status) (((u64)(class) << ESR_ELx_EC_SHIFT) | (status) | 3)
/* What a vCPU leaves the guest with: the page is not mapped, is old, or lacks the right. */
#define READ_FAULT TLBGATE_ABORT(ESR_ELx_EC_DABT_LOW, 0x04)
#define WRITE_FAULT (READ_FAULT | ESR_ELx_WNR)
#define EXECUTE_FAULT TLBGATE_ABORT(ESR_ELx_EC_IABT_LOW, 0x04)
#define ACCESS_FAULT TLBGATE_ABORT(ESR_ELx_EC_DABT_LOW, 0x08)
#define WRITE_PERMISSION_FAULT (TLBGATE_ABORT(ESR_ELx_EC_DABT_LOW, 0x0c) | ESR_ELx_WNR)
#define EXECUTE_PERMISSION_FAULT TLBGATE_ABORT(ESR_ELx_EC_IABT_LOW, 0x0c)

`;

/**
 * C text at the end of `mmu.c`: a vCPU with a memory slot, whose faults the tree's own code handles, and
 * the MMU notifier of the tree. Both see the same counters of the VM, in memory. What belongs to the
 * host's own memory management is ours: a page of the guest is backed by a word that both CPUs see.
 */
export function faultText(read: ReadFile): string {
  const host = read(KVM_HOST) ?? '';
  const main = read(KVM_MAIN) ?? '';
  const fields = NOTIFIER_FIELDS.filter((name) => new RegExp(`\\b${name};`).test(host));
  const slotArray = /\bstruct kvm_memory_slot memslots\[\];/.test(host);
  return `
extern int tlbgate_notifier_start(struct mmu_notifier *mn, const struct mmu_notifier_range *range);
extern void tlbgate_notifier_end(struct mmu_notifier *mn, const struct mmu_notifier_range *range);

static struct task_struct tlbgate_task;
static struct vm_area_struct tlbgate_vma;
static struct kvm_vcpu tlbgate_vcpu;
${
  slotArray
    ? `static struct { struct kvm_memslots slots; struct kvm_memory_slot first; } tlbgate_memory;
#define tlbgate_slots tlbgate_memory.slots
#define tlbgate_slot tlbgate_memory.first`
    : `static struct kvm_memory_slot tlbgate_slot;
static struct kvm_memslots tlbgate_slots;`
}
/* What the host's own tables say: the page behind each page of the slot, in words that all CPUs share. */
static u64 *tlbgate_backing[4];

#define the_slot (&tlbgate_slot)
#define TLBGATE_HVA 0x7f0000000000UL

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

struct vm_area_struct *tlbgate_for_vma_lookup(struct mm_struct *mm, unsigned long addr)
{
	return &tlbgate_vma;
}

struct vm_area_struct *tlbgate_for_find_vma(struct mm_struct *mm, unsigned long addr)
{
	return &tlbgate_vma;
}

/* Pages of the guest are single ones. */
bool tlbgate_for_kvm_is_transparent_hugepage(kvm_pfn_t pfn)
{
	return false;
}

${slotArray ? '' : SLOT_TREE}${lookUpText(lookUpOf(main))}/* References of data pages and the dirty log are not modelled. */
void tlbgate_for_kvm_set_pfn_dirty(kvm_pfn_t pfn)
{
}

void tlbgate_for_kvm_set_pfn_accessed(kvm_pfn_t pfn)
{
}

void tlbgate_for_kvm_release_pfn_clean(kvm_pfn_t pfn)
{
}

${
  /\bmark_page_dirty_in_slot\(struct kvm \*kvm,/.test(main)
    ? `void tlbgate_for_mark_page_dirty_in_slot(struct kvm *kvm, const struct kvm_memory_slot *memslot,
					 gfn_t gfn)
{
}
`
    : ''
}
u32 tlbgate_for_get_kvm_ipa_limit(void)
{
	return tlbgate_ipa_bits;
}

/*
 * For setup(): the next page of the slot, what backs it, and a vCPU that may fault on it. Pages of a slot
 * lie one after the other.
 */
static void backed_page(phys_addr_t ipa, phys_addr_t page)
{
	if (!tlbgate_slot.npages) {
		tlbgate_slot.base_gfn = ipa >> PAGE_SHIFT;
		tlbgate_slot.userspace_addr = TLBGATE_HVA;
${
  slotArray
    ? '		tlbgate_slots.used_slots = 1;'
    : '		atomic_long_set(&tlbgate_slots.last_used_slot, (unsigned long)&tlbgate_slot);'
}
		tlbgate_kvm.memslots[0] = &tlbgate_slots;
		tlbgate_vcpu.kvm = the_kvm;
		tlbgate_vcpu.arch.hw_mmu = the_mmu;
		fill_cache(&tlbgate_vcpu.arch.mmu_page_cache, KVM_ARCH_NR_OBJS_PER_MEMORY_CACHE);
${fields.map((name) => `		shared(&tlbgate_kvm.${name}, sizeof(tlbgate_kvm.${name}));`).join('\n')}
	}
	if (ipa >> PAGE_SHIFT != tlbgate_slot.base_gfn + tlbgate_slot.npages)
		__tlbgate_bug();
	tlbgate_backing[tlbgate_slot.npages++] = shared_word(page);
}

${BACKING_TEXT}${ABORTS}/* The vCPU has left the guest with this syndrome. */
static void guest_abort(phys_addr_t ipa, u64 syndrome)
{
	tlbgate_vcpu.arch.fault.esr_el2 = syndrome;
	tlbgate_vcpu.arch.fault.hpfar_el2 = (ipa >> PAGE_SHIFT) << 4;
#ifdef HPFAR_EL2_NS
	/* Where KVM has read the register itself this bit says so. */
	tlbgate_vcpu.arch.fault.hpfar_el2 |= HPFAR_EL2_NS;
#endif
	if (kvm_handle_guest_abort(&tlbgate_vcpu) != 1)
		__tlbgate_bug();
}
`;
}
