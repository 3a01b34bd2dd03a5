import type { PgtableDialect } from './kvm-pgtable-dialect.ts';

/** Functions of the profile's text that the tool itself calls. */
export const MAKE_VM = 'tlbgate_make_vm';
export const MAP_GUEST_TABLE = 'tlbgate_map_guest_table';

/**
 * C text before the scenarios, at the end of `mmu.c`: the VM, what a scenario may call, and those
 * functions of other files whose C would only bring in an environment nobody needs.
 * `ownVmids`: VMIDs come from a unit of their own, which is loaded too.
 */
export function pgtableText(dialect: PgtableDialect, ownVmids: boolean): string {
  return `
/* What setup() says about the guest. */
extern void guest_page(phys_addr_t ipa, phys_addr_t page);
/* A word of memory that all CPUs of the host share; only for setup(). */
extern u64 *shared_word(u64 value);
/* A part of an object that all CPUs of the host share: whole words; only for setup(). */
extern void shared(void *part, u64 bytes);
/* What host() says about itself. */
extern void operation_begins(const char *name);
extern void operation_returns(const char *name, phys_addr_t ipa, u64 size);
extern void operation_returns_readonly(const char *name, phys_addr_t ipa, u64 size);
extern void host_reads_page(phys_addr_t page);
extern void page_gets_new_owner(phys_addr_t page);
extern void host_fills_page(phys_addr_t page);

extern void __tlbgate_vm(u64 vmid, phys_addr_t root, u64 vtcr);
extern void *__tlbgate_alloc_table(void);
extern void __tlbgate_wait_for_readers(void);

static struct kvm tlbgate_kvm;
static struct kvm_pgtable tlbgate_pgt;
static struct kvm_mmu_memory_cache tlbgate_cache;
static struct kvm_mmu_memory_cache tlbgate_other_cache;
static u32 tlbgate_ipa_bits;

/* The VM of the scenario, its stage-2 tables, and a cache of table pages. */
#define the_kvm (&tlbgate_kvm)
#define the_mmu (&tlbgate_kvm.arch.mmu)
#define the_pgt (tlbgate_kvm.arch.mmu.pgt)
#define the_cache (&tlbgate_cache)
/* For the second CPU of the host. */
#define other_cache (&tlbgate_other_cache)

${makeVm(dialect, ownVmids)}
/* Table pages for a cache: they are taken from the allocator before anything begins. */
static void fill_cache(struct kvm_mmu_memory_cache *cache, int pages)
{
${
  dialect.arrayCache
    ? ''
    : `	static void *objects[3][1024];
	static int used;

	cache->objects = objects[used++];
`
}	while (cache->nobjs < pages)
		cache->objects[cache->nobjs++] = __tlbgate_alloc_table();
}

void *tlbgate_for_kvm_mmu_memory_cache_alloc(struct kvm_mmu_memory_cache *cache)
{
	return cache->nobjs ? cache->objects[--cache->nobjs] : __tlbgate_alloc_table();
}

/* The VM's lock, held alone. */
#ifdef KVM_HAVE_MMU_RWLOCK
#define vm_lock(kvm) write_lock(&(kvm)->mmu_lock)
#define vm_unlock(kvm) write_unlock(&(kvm)->mmu_lock)
#else
#define vm_lock(kvm) spin_lock(&(kvm)->mmu_lock)
#define vm_unlock(kvm) spin_unlock(&(kvm)->mmu_lock)
#endif
${faults(dialect)}
#define TLBGATE_MAP_FLAGS ${dialect.faultFlags === null ? '' : ', 0'}

/* Maps guest memory with the tree's own code. */
static void map(phys_addr_t ipa, phys_addr_t page, u64 size, enum kvm_pgtable_prot prot)
{
	int failed;

	vm_lock(&tlbgate_kvm);
	tlbgate_before_map(page, size, prot);
	failed = kvm_pgtable_stage2_map(the_pgt, ipa, size, page, prot, the_cache TLBGATE_MAP_FLAGS);
	vm_unlock(&tlbgate_kvm);
	if (failed)
		__tlbgate_bug();
}

#define READ_ONLY KVM_PGTABLE_PROT_R
#define READ_WRITE (KVM_PGTABLE_PROT_R | KVM_PGTABLE_PROT_W)
#define READ_WRITE_EXECUTE (READ_WRITE | KVM_PGTABLE_PROT_X)

void ${MAP_GUEST_TABLE}(phys_addr_t ipa, phys_addr_t page)
{
	map(ipa, page, PAGE_SIZE, READ_WRITE);
}

${notifier(dialect)}
/* Dirty logging takes the right to write away, under the lock; flush_vm() comes after it. */
#define write_protect_range(ipa, size) ${dialect.wpRange}(the_mmu, ipa, (ipa) + (size))
#define flush_vm() ${dialect.flushVm}(the_kvm)

static struct rcu_head *tlbgate_rcu_heads[8];
static rcu_callback_t tlbgate_rcu_callbacks[8];
static int tlbgate_rcu_waiting;

void call_rcu(struct rcu_head *head, rcu_callback_t callback)
{
	tlbgate_rcu_heads[tlbgate_rcu_waiting] = head;
	tlbgate_rcu_callbacks[tlbgate_rcu_waiting++] = callback;
}

/* A grace period ends: not before this CPU has left every lock and read-side section. */
static void grace_period(void)
{
	int i;

	__tlbgate_wait_for_readers();
	for (i = 0; i < tlbgate_rcu_waiting; i++)
		tlbgate_rcu_callbacks[i](tlbgate_rcu_heads[i]);
	tlbgate_rcu_waiting = 0;
}
`;
}

/** The VM, its stage-2 tables and its VMID. */
function makeVm(dialect: PgtableDialect, ownVmids: boolean): string {
  const vtcr = dialect.vtcrInMmu ? 'mmu->vtcr' : 'kvm->arch.vtcr';
  const init = {
    kvm: 'kvm',
    'arch, operations': '&kvm->arch, &kvm_s2_mm_ops',
    'mmu, operations': 'mmu, &kvm_s2_mm_ops',
  }[dialect.initArguments];
  const control = dialect.vtcrFunction
    ? `kvm_get_vtcr(read_sanitised_ftr_reg(SYS_ID_AA64MMFR0_EL1),
			read_sanitised_ftr_reg(SYS_ID_AA64MMFR1_EL1), tlbgate_ipa_bits)`
    : `VTCR_EL2_FLAGS | VTCR_EL2_T0SZ(tlbgate_ipa_bits) |
			VTCR_EL2_LVLS_TO_SL0(stage2_pgtable_levels(tlbgate_ipa_bits))`;
  return `/* What kvm_init_stage2_mmu() does, without the allocation of what is not looked at. */
static u64 tlbgate_init_vm(struct kvm *kvm, struct kvm_pgtable *pgt)
{
	struct kvm_s2_mmu *mmu = &kvm->arch.mmu;

	mmu->${dialect.owner === 'kvm' ? 'kvm = kvm' : 'arch = &kvm->arch'};
	${vtcr} = ${control};
	if (kvm_pgtable_stage2_init(pgt, ${init}))
		__tlbgate_bug();
	mmu->pgt = pgt;
	mmu->pgd_phys = __pa(pgt->pgd);
	return ${vtcr};
}

void ${MAKE_VM}(u64 vmid, u32 ipa_bits)
{
	struct kvm_s2_mmu *mmu = the_mmu;
	u64 vtcr;

	tlbgate_ipa_bits = ipa_bits;
	${ownVmids ? 'kvm_arm_vmid_bits = kvm_get_vmid_bits();' : ''}
	vtcr = tlbgate_init_vm(the_kvm, &tlbgate_pgt);
	${dialect.atomicVmid ? 'atomic64_set(&mmu->vmid.id, vmid)' : 'mmu->vmid.vmid = vmid'};
	__tlbgate_vm(vmid, mmu->pgd_phys, vtcr);
}
`;
}

/** What a fault does: under the lock that the tree takes for it, with a cache of its own. */
function faults({
  faultFlags,
  sharedAccessFaults,
  attributeFlags,
  faultCleans,
}: PgtableDialect): string {
  const flags = faultFlags === null ? '' : `, ${faultFlags}`;
  const accessLock = sharedAccessFaults ? 'fault' : 'vm';
  const ofAttributes = attributeFlags ? flags : '';
  return `
/* As a fault does: under the lock that the tree takes for it, with a cache of its own. */
${
  faultFlags === null
    ? `#define fault_lock(kvm) vm_lock(kvm)
#define fault_unlock(kvm) vm_unlock(kvm)`
    : `#define fault_lock(kvm) read_lock(&(kvm)->mmu_lock)
#define fault_unlock(kvm) read_unlock(&(kvm)->mmu_lock)`
}

/* Cache maintenance of the fault path, where the map does none. */
static void tlbgate_before_map(phys_addr_t page, u64 size, enum kvm_pgtable_prot prot)
{
${
  faultCleans
    ? `	clean_dcache_guest_page(page >> PAGE_SHIFT, size);
	if (prot & KVM_PGTABLE_PROT_X)
		invalidate_icache_guest_page(page >> PAGE_SHIFT, size);
`
    : ''
}}

static int map_fault(phys_addr_t ipa, phys_addr_t page, u64 size, enum kvm_pgtable_prot prot,
		     struct kvm_mmu_memory_cache *cache)
{
	tlbgate_before_map(page, size, prot);
	return kvm_pgtable_stage2_map(the_pgt, ipa, size, page, prot, cache${flags});
}

/* A page gets rights back, or its access flag. */
static void relax_fault(phys_addr_t ipa, enum kvm_pgtable_prot prot)
{
	fault_lock(&tlbgate_kvm);
	kvm_pgtable_stage2_relax_perms(the_pgt, ipa, prot${ofAttributes});
	fault_unlock(&tlbgate_kvm);
}

static void access_fault(phys_addr_t ipa)
{
	${accessLock}_lock(&tlbgate_kvm);
	kvm_pgtable_stage2_mkyoung(the_pgt, ipa${ofAttributes});
	${accessLock}_unlock(&tlbgate_kvm);
}
`;
}

/** What the MMU notifier calls for a range, under the lock. */
function notifier({ gfnNotifier }: PgtableDialect): string {
  const call = (name: string, ofGfns: string, ofAddresses: string): string => `
static bool ${name}(phys_addr_t ipa, u64 size)
{
${
  gfnNotifier
    ? `	struct kvm_gfn_range range = {
		.start = ipa >> PAGE_SHIFT,
		.end = (ipa + size) >> PAGE_SHIFT,
		.may_block = true,
	};
`
    : '	unsigned flags = MMU_NOTIFIER_RANGE_BLOCKABLE;\n'
}	bool found;

	vm_lock(&tlbgate_kvm);
	found = ${gfnNotifier ? `${ofGfns}(&tlbgate_kvm, &range)` : `${ofAddresses}(&tlbgate_kvm, ipa, size, &flags)`};
	vm_unlock(&tlbgate_kvm);
	return found;
}
`;
  return `/* What the MMU notifier does: takes a range away, makes it old, asks whether it is young. */
${call('unmap_range', 'kvm_unmap_gfn_range', 'kvm_unmap_hva_handler')}${call('age_range', 'kvm_age_gfn', 'kvm_age_hva_handler')}${call('test_age_range', 'kvm_test_age_gfn', 'kvm_test_age_hva_handler')}`;
}
