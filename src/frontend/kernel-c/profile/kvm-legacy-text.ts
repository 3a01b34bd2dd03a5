import type { ReadFile } from '../read-file.ts';
import { MAKE_VM } from './kvm-pgtable-text.ts';

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
extern void operation_begins(const char *name);
extern void operation_returns(const char *name, phys_addr_t ipa, u64 size);
extern void host_reads_page(phys_addr_t page);
extern void page_gets_new_owner(phys_addr_t page);
extern void __tlbgate_vm(u64 vmid, phys_addr_t root, u64 vtcr);
extern void *__tlbgate_alloc_table(void);
extern void __tlbgate_alone(void);
extern void __tlbgate_entered(u64 *word);
extern void tlbgate_next_vmid(u32 vmid);
extern void tlbgate_update_vmid(struct kvm_vmid *vmid);

static struct kvm tlbgate_vm;
static struct kvm tlbgate_second;
static struct kvm_mmu_memory_cache tlbgate_cache;
static u32 tlbgate_ipa_bits;
static u64 *tlbgate_entered;

#define the_kvm (&tlbgate_vm)

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

void ${MAKE_VM}(u64 vmid, u32 ipa_bits)
{
	tlbgate_ipa_bits = ipa_bits;
	tlbgate_init_vm(the_kvm);
	tlbgate_vm.arch.vmid.vmid = vmid;
	__tlbgate_vm(vmid, tlbgate_vm.arch.pgd_phys, tlbgate_vm.arch.vtcr);
}

static void tlbgate_map(struct kvm *kvm, phys_addr_t ipa, phys_addr_t page, u64 size)
{
	u64 done;

	for (done = 0; done < size; done += PAGE_SIZE) {
		pte_t pte = kvm_s2pte_mkwrite(kvm_pfn_pte((page + done) >> PAGE_SHIFT, PAGE_S2));

		while (tlbgate_cache.nobjs < 3)
			tlbgate_cache.objects[tlbgate_cache.nobjs++] = __tlbgate_alloc_table();
		spin_lock(&kvm->mmu_lock);
		if (stage2_set_pte(kvm, &tlbgate_cache, ipa + done, &pte, 0))
			__tlbgate_bug();
		spin_unlock(&kvm->mmu_lock);
	}
}

/* Maps guest memory, for reading and writing. */
static void map(phys_addr_t ipa, phys_addr_t page, u64 size)
{
	tlbgate_map(the_kvm, ipa, page, size);
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
static void second_vm_runs(phys_addr_t ipa, phys_addr_t page)
{
	tlbgate_init_vm(&tlbgate_second);
	tlbgate_map(&tlbgate_second, ipa, page, PAGE_SIZE);
	tlbgate_update_vmid(&tlbgate_second.arch.vmid);
	smp_store_release(tlbgate_entered, kvm_get_vttbr(&tlbgate_second));
}
`;
