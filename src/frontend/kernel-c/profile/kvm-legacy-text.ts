import type { ReadFile } from '../read-file.ts';
import { MAKE_VM, MAP_GUEST_TABLE } from './kvm-pgtable-text.ts';

/** The unit that hands out VMIDs. */
export const ARM = 'arch/arm64/kvm/arm.c';

/** The VM of scenario files; the one of the library is made outside of the C. */
export const FILE_VMS: readonly string[] = ['tlbgate_vm', 'tlbgate_second'];

/** Whether a tree has what the text below asks for. */
export function hasLegacyFiles(read: ReadFile): boolean {
  const mmu = read('arch/arm64/kvm/mmu.c') ?? '';
  return (
    /^int kvm_alloc_stage2_pgd\(struct kvm \*kvm\)/m.test(mmu) &&
    /^void kvm_arch_flush_shadow_all\(struct kvm \*kvm\)/m.test(mmu) &&
    /^static void update_vmid\(struct kvm_vmid \*vmid\)/m.test(read(ARM) ?? '')
  );
}

/** Stands at the end of `arm.c`, whose allocator of VMIDs is static. */
export const ARM_TEXT = `
extern void __tlbgate_alone(void);

/* The next VMID to be given; 0: they are used up. */
void tlbgate_next_vmid(u32 vmid)
{
	kvm_next_vmid = vmid;
}

void tlbgate_update_vmid(struct kvm_vmid *vmid)
{
	__tlbgate_alone();
	update_vmid(vmid);
}
`;

/**
 * C text at the end of `mmu.c` for scenario files: a VM whose stage 2 the tree's own code makes, maps and
 * takes down, and a second VM after it.
 */
export const LEGACY_TEXT = `
extern void guest_page(phys_addr_t ipa, phys_addr_t page);
extern u64 *shared_word(u64 value);
extern void shared(void *part, u64 bytes);
extern void operation_begins(const char *name);
extern void operation_returns(const char *name, phys_addr_t ipa, u64 size);
extern void operation_returns_readonly(const char *name, phys_addr_t ipa, u64 size);
extern void host_reads_page(phys_addr_t page);
extern void page_gets_new_owner(phys_addr_t page);
extern void host_fills_page(phys_addr_t page);
extern void __tlbgate_vm(u64 vmid, phys_addr_t root, u64 vtcr);
extern void *__tlbgate_alloc_table(void);
extern void __tlbgate_alone(void);
extern void __tlbgate_entered(u64 *word);
extern void tlbgate_next_vmid(u32 vmid);
extern void tlbgate_update_vmid(struct kvm_vmid *vmid);

static struct kvm tlbgate_vm;
static struct kvm tlbgate_second;
static struct kvm_mmu_memory_cache tlbgate_cache;
static struct kvm_mmu_memory_cache tlbgate_second_cache;
static u32 tlbgate_ipa_bits;
static u64 *tlbgate_entered;

static struct kvm_vcpu tlbgate_vcpu;
/* The only memory slot stands behind the list of slots, and an empty one ends it. */
static union {
	struct kvm_memslots slots;
	u8 bytes[sizeof(struct kvm_memslots) + 2 * sizeof(struct kvm_memory_slot)];
} tlbgate_memslots;

/* The VM of the scenario, its memory slot, and a cache of table pages. */
#define the_kvm (&tlbgate_vm)
#define the_slot (&tlbgate_memslots.slots.memslots[0])
#define the_cache (&tlbgate_cache)
/* Where the process of the VM has the memory of the slot. */
#define TLBGATE_HVA 0x7f0000000000UL

void tlbgate_for_atomic64_inc(atomic64_t *v)
{
	__tlbgate_alone();
	v->counter++;
}

/* No vCPU runs on any CPU. */
void tlbgate_for_force_vm_exit(const cpumask_t *mask)
{
}

static void tlbgate_init_vm(struct kvm *kvm)
{
	kvm->arch.vtcr = (64 - tlbgate_ipa_bits) |
			 VTCR_EL2_LVLS_TO_SL0(stage2_pgtable_levels(tlbgate_ipa_bits));
	if (kvm_alloc_stage2_pgd(kvm))
		__tlbgate_bug();
}

/* Table pages for a cache: they are taken from the allocator before anything begins. */
static void fill_cache(struct kvm_mmu_memory_cache *cache, int pages)
{
	while (cache->nobjs < pages)
		cache->objects[cache->nobjs++] = __tlbgate_alloc_table();
}

void ${MAKE_VM}(u64 vmid, u32 ipa_bits)
{
	tlbgate_ipa_bits = ipa_bits;
	tlbgate_init_vm(the_kvm);
	/* So that host() can map something after setup() has. */
	fill_cache(the_cache, 2 * kvm_mmu_cache_min_pages(the_kvm));
	tlbgate_vm.arch.vmid.vmid = vmid;
	__tlbgate_vm(vmid, tlbgate_vm.arch.pgd_phys, tlbgate_vm.arch.vtcr);
}

/* Rights of a mapping; what is mapped can be read. */
#define TLBGATE_WRITE 1
#define TLBGATE_EXECUTE 2
#define READ_ONLY 0
#define READ_WRITE TLBGATE_WRITE
#define READ_WRITE_EXECUTE (TLBGATE_WRITE | TLBGATE_EXECUTE)

/* One leaf entry, made and set as user_mem_abort() does for a page or block of that size. */
static int tlbgate_set(struct kvm *kvm, struct kvm_mmu_memory_cache *cache, phys_addr_t ipa,
		       phys_addr_t page, u64 size, int prot)
{
	kvm_pfn_t pfn = page >> PAGE_SHIFT;
	pud_t pud;
	pmd_t pmd;
	pte_t pte;

	if (size == PUD_SIZE) {
		pud = kvm_pud_mkhuge(kvm_pfn_pud(pfn, PAGE_S2));
		if (prot & TLBGATE_WRITE)
			pud = kvm_s2pud_mkwrite(pud);
		if (prot & TLBGATE_EXECUTE)
			pud = kvm_s2pud_mkexec(pud);
		return stage2_set_pud_huge(kvm, cache, ipa, &pud);
	}
	if (size == PMD_SIZE) {
		pmd = kvm_pmd_mkhuge(kvm_pfn_pmd(pfn, PAGE_S2));
		if (prot & TLBGATE_WRITE)
			pmd = kvm_s2pmd_mkwrite(pmd);
		if (prot & TLBGATE_EXECUTE)
			pmd = kvm_s2pmd_mkexec(pmd);
		return stage2_set_pmd_huge(kvm, cache, ipa, &pmd);
	}
	pte = kvm_pfn_pte(pfn, PAGE_S2);
	if (prot & TLBGATE_WRITE)
		pte = kvm_s2pte_mkwrite(pte);
	if (prot & TLBGATE_EXECUTE)
		pte = kvm_s2pte_mkexec(pte);
	return stage2_set_pte(kvm, cache, ipa, &pte, 0);
}

/* The largest leaf entry that begins here. */
static u64 tlbgate_leaf_size(phys_addr_t bits, u64 left)
{
	if (left >= PUD_SIZE && !(bits & (PUD_SIZE - 1)))
		return PUD_SIZE;
	return left >= PMD_SIZE && !(bits & (PMD_SIZE - 1)) ? PMD_SIZE : PAGE_SIZE;
}

/* In the order of user_mem_abort() for a translation fault: the page is made ready, then mapped. */
static void tlbgate_map(struct kvm *kvm, struct kvm_mmu_memory_cache *cache, phys_addr_t ipa,
			phys_addr_t page, u64 size, int prot)
{
	fill_cache(cache, kvm_mmu_cache_min_pages(kvm));
	spin_lock(&kvm->mmu_lock);
	clean_dcache_guest_page(page >> PAGE_SHIFT, size);
	if (prot & TLBGATE_EXECUTE)
		invalidate_icache_guest_page(page >> PAGE_SHIFT, size);
	if (tlbgate_set(kvm, cache, ipa, page, size, prot))
		__tlbgate_bug();
	spin_unlock(&kvm->mmu_lock);
}

/* Maps guest memory with the tree's own code, in blocks where they fit. */
static void map(phys_addr_t ipa, phys_addr_t page, u64 size, int prot)
{
	u64 step;

	for (; size; ipa += step, page += step, size -= step) {
		step = tlbgate_leaf_size(ipa | page, size);
		tlbgate_map(the_kvm, the_cache, ipa, page, step, prot);
	}
}

void ${MAP_GUEST_TABLE}(phys_addr_t ipa, phys_addr_t page)
{
	map(ipa, page, PAGE_SIZE, READ_WRITE);
}

/* The VM's lock, which everybody takes alone. */
#define vm_lock(kvm) spin_lock(&(kvm)->mmu_lock)
#define vm_unlock(kvm) spin_unlock(&(kvm)->mmu_lock)
#define fault_lock(kvm) vm_lock(kvm)
#define fault_unlock(kvm) vm_unlock(kvm)

/* What the MMU notifier does, under the lock: takes a range away, makes it old, asks whether it is young. */
static int tlbgate_notified(int (*handler)(struct kvm *kvm, gpa_t gpa, u64 size, void *data),
			    phys_addr_t ipa, u64 size)
{
	int found;

	vm_lock(the_kvm);
	found = handler(the_kvm, ipa, size, NULL);
	vm_unlock(the_kvm);
	return found;
}

static int unmap_range(phys_addr_t ipa, u64 size)
{
	return tlbgate_notified(kvm_unmap_hva_handler, ipa, size);
}

static int age_range(phys_addr_t ipa, u64 size)
{
	return tlbgate_notified(kvm_age_hva_handler, ipa, size);
}

static int test_age_range(phys_addr_t ipa, u64 size)
{
	return tlbgate_notified(kvm_test_age_hva_handler, ipa, size);
}

/* References of data pages are not modelled. */
void tlbgate_for_kvm_set_pfn_accessed(kvm_pfn_t pfn)
{
}

/* A vCPU has used a page that is old. */
static void access_fault(phys_addr_t ipa)
{
	tlbgate_vcpu.kvm = the_kvm;
	handle_access_fault(&tlbgate_vcpu, ipa);
}

/* Dirty logging takes the right to write away, under the lock; flush_vm() comes after it. */
#define write_protect_range(ipa, size) stage2_wp_range(the_kvm, ipa, (ipa) + (size))
#define flush_vm() kvm_flush_remote_tlbs(the_kvm)

/* For setup(): the memory slot of the VM. */
static void memory_slot(phys_addr_t ipa, u64 size)
{
	the_slot->base_gfn = ipa >> PAGE_SHIFT;
	the_slot->npages = size >> PAGE_SHIFT;
	the_slot->userspace_addr = TLBGATE_HVA;
	tlbgate_memslots.slots.used_slots = 1;
	tlbgate_vm.memslots[0] = &tlbgate_memslots.slots;
}

/* The host begins to log writes to the slot: both steps as the tree has them. */
static void logging_begins(void)
{
	kvm_mmu_wp_memory_region(the_kvm, the_slot->id);
}

/* The process takes its memory slot away. */
static void slot_goes(void)
{
	kvm_arch_flush_shadow_memslot(the_kvm, the_slot);
}

/* Nothing of this kernel's stage 2 waits for readers. */
static void grace_period(void)
{
}

/* What takes the tables down, without the root. */
static void unmap_everything(void)
{
	spin_lock(&tlbgate_vm.mmu_lock);
	unmap_stage2_range(the_kvm, 0, kvm_phys_size(the_kvm));
	spin_unlock(&tlbgate_vm.mmu_lock);
}

/* For setup(): the VM gets its VMID from the tree's allocator, has run, and runs no more. */
static void vm_has_run(void)
{
	u32 before = tlbgate_vm.arch.vmid.vmid;

	tlbgate_next_vmid(1);
	tlbgate_update_vmid(&tlbgate_vm.arch.vmid);
	if (tlbgate_vm.arch.vmid.vmid != before)
		__tlbgate_bug();
	tlbgate_entered = shared_word(0);
	__tlbgate_entered(tlbgate_entered);
}

/* For setup(): every other VMID was given to some VM. */
static void vmids_are_used_up(void)
{
	tlbgate_next_vmid(0);
}

/* The host lets go of all of the VM's stage 2, when the last process that could run it has gone. */
static void vm_ends(void)
{
	kvm_arch_flush_shadow_all(the_kvm);
}

/* Another VM is made, has one page, and may be entered by other CPUs. */
static void second_vm_runs(phys_addr_t ipa, phys_addr_t page, int prot)
{
	tlbgate_init_vm(&tlbgate_second);
	tlbgate_map(&tlbgate_second, &tlbgate_second_cache, ipa, page, PAGE_SIZE, prot);
	tlbgate_update_vmid(&tlbgate_second.arch.vmid);
	smp_store_release(tlbgate_entered, kvm_get_vttbr(&tlbgate_second));
}
`;
