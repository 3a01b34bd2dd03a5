/** How the C of one tree names what the profile's own text needs; found by probing. */
export interface PgtableDialect {
  /** The VTCR stands in `struct kvm_s2_mmu`, not in `struct kvm_arch`. */
  readonly vtcrInMmu: boolean;
  /** `kvm_pgtable_stage2_map` takes walk flags, as tables are walked by several CPUs at a time. */
  readonly walkFlags: boolean;
}

/** Functions of the profile's text that the tool itself calls. */
export const MAKE_VM = 'tlbgate_make_vm';
export const MAP_GUEST_TABLE = 'tlbgate_map_guest_table';

/**
 * C text before the scenarios, at the end of `mmu.c`: the VM, what a scenario may call, and those
 * functions of other files whose C would only bring in an environment nobody needs.
 */
export function pgtableText({ vtcrInMmu, walkFlags }: PgtableDialect): string {
  const vtcr = vtcrInMmu ? 'mmu->vtcr' : 'tlbgate_kvm.arch.vtcr';
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

void ${MAKE_VM}(u64 vmid, u32 ipa_bits)
{
	struct kvm_s2_mmu *mmu = the_mmu;

	tlbgate_ipa_bits = ipa_bits;
	mmu->arch = &tlbgate_kvm.arch;
	${vtcr} = kvm_get_vtcr(read_sanitised_ftr_reg(SYS_ID_AA64MMFR0_EL1),
			read_sanitised_ftr_reg(SYS_ID_AA64MMFR1_EL1), ipa_bits);
	if (kvm_pgtable_stage2_init(&tlbgate_pgt, mmu, &kvm_s2_mm_ops))
		__tlbgate_bug();
	mmu->pgt = &tlbgate_pgt;
	mmu->pgd_phys = __pa(tlbgate_pgt.pgd);
	atomic64_set(&mmu->vmid.id, vmid);
	__tlbgate_vm(vmid, mmu->pgd_phys, ${vtcr});
}

/* Table pages for a cache: they are taken from the allocator before anything begins. */
static void fill_cache(struct kvm_mmu_memory_cache *cache, int pages)
{
	static void *objects[3][1024];
	static int used;

	cache->objects = objects[used++];
	while (cache->nobjs < pages)
		cache->objects[cache->nobjs++] = __tlbgate_alloc_table();
}

void *tlbgate_for_kvm_mmu_memory_cache_alloc(struct kvm_mmu_memory_cache *cache)
{
	return cache->nobjs ? cache->objects[--cache->nobjs] : __tlbgate_alloc_table();
}

/* Maps guest memory with the tree's own code, for setup(). */
static void map(phys_addr_t ipa, phys_addr_t page, u64 size, enum kvm_pgtable_prot prot)
{
	int failed;

	write_lock(&tlbgate_kvm.mmu_lock);
	failed = kvm_pgtable_stage2_map(the_pgt, ipa, size, page, prot, the_cache${walkFlags ? ', 0' : ''});
	write_unlock(&tlbgate_kvm.mmu_lock);
	if (failed)
		__tlbgate_bug();
}

/* As a fault does: under the lock that the tree takes for it, with a cache of its own. */
${
  walkFlags
    ? `#define fault_lock(kvm) read_lock(&(kvm)->mmu_lock)
#define fault_unlock(kvm) read_unlock(&(kvm)->mmu_lock)
#define TLBGATE_FAULT_FLAGS , KVM_PGTABLE_WALK_HANDLE_FAULT | KVM_PGTABLE_WALK_SHARED`
    : `#define fault_lock(kvm) write_lock(&(kvm)->mmu_lock)
#define fault_unlock(kvm) write_unlock(&(kvm)->mmu_lock)
#define TLBGATE_FAULT_FLAGS`
}

static int map_fault(phys_addr_t ipa, phys_addr_t page, u64 size, enum kvm_pgtable_prot prot,
		     struct kvm_mmu_memory_cache *cache)
{
	return kvm_pgtable_stage2_map(the_pgt, ipa, size, page, prot, cache TLBGATE_FAULT_FLAGS);
}

#define READ_WRITE (KVM_PGTABLE_PROT_R | KVM_PGTABLE_PROT_W)

void ${MAP_GUEST_TABLE}(phys_addr_t ipa, phys_addr_t page)
{
	map(ipa, page, PAGE_SIZE, READ_WRITE);
}

/* The notifier takes a range away: what kvm_mmu_notifier_invalidate_range_start() does for us. */
static void unmap_range(phys_addr_t ipa, u64 size)
{
	struct kvm_gfn_range range = {
		.start = ipa >> PAGE_SHIFT,
		.end = (ipa + size) >> PAGE_SHIFT,
		.may_block = true,
	};

	write_lock(&tlbgate_kvm.mmu_lock);
	kvm_unmap_gfn_range(&tlbgate_kvm, &range);
	write_unlock(&tlbgate_kvm.mmu_lock);
}

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
