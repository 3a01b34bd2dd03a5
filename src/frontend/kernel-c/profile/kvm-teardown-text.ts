import type { ReadFile } from '../read-file.ts';

/** The unit that hands out VMIDs. */
export const VMIDS = 'arch/arm64/kvm/vmid.c';

/** Whether a tree hands out VMIDs as the text below asks for it, and frees tables at the end of a VM. */
export function hasVmids(read: ReadFile): boolean {
  return (
    /^(void|bool) kvm_arm_vmid_update\(struct kvm_vmid \*\w+\)/m.test(read(VMIDS) ?? '') &&
    endOfVm(read) !== null
  );
}

/** What lets go of a VM's stage 2: `kvm_arch_flush_shadow_all`, or what it calls where it is elsewhere. */
function endOfVm(read: ReadFile): string | null {
  const mmu = read('arch/arm64/kvm/mmu.c') ?? '';
  const names = ['kvm_arch_flush_shadow_all', 'kvm_uninit_stage2_mmu'];
  return names.find((name) => new RegExp(`^void ${name}\\(struct kvm \\*`, 'm').test(mmu)) ?? null;
}

/**
 * C text at the end of `mmu.c`: the end of the VM, and a second VM that runs after it, with VMIDs from the
 * tree's own allocator. What that calls of other files is ours, for one CPU of the host.
 */
export function teardownText(read: ReadFile): string {
  return `
extern void __tlbgate_alone(void);
extern void __tlbgate_entered(u64 *word);

/* The second VM. */
static struct kvm tlbgate_second;
static struct kvm_pgtable tlbgate_second_pgt;
static unsigned long tlbgate_vmid_map[4];
/* VTTBR_EL2 of the VM that other CPUs may enter; 0 while there is none. */
static u64 *tlbgate_entered;

s64 tlbgate_for_atomic64_add_return_relaxed(s64 i, atomic64_t *v)
{
	__tlbgate_alone();
	return v->counter += i;
}

s64 tlbgate_for_atomic64_xchg_relaxed(atomic64_t *v, s64 i)
{
	s64 old = v->counter;

	__tlbgate_alone();
	v->counter = i;
	return old;
}

s64 tlbgate_for_atomic64_cmpxchg_relaxed(atomic64_t *v, s64 old, s64 new)
{
	s64 now = v->counter;

	__tlbgate_alone();
	if (now == old)
		v->counter = new;
	return now;
}

unsigned long tlbgate_for__raw_spin_lock_irqsave(raw_spinlock_t *lock)
{
	__tlbgate_alone();
	return 0;
}

void tlbgate_for__raw_spin_unlock_irqrestore(raw_spinlock_t *lock, unsigned long flags)
{
}

/* Another task may have the CPU: it does nothing here, and orders nothing. */
int tlbgate_for___cond_resched(void)
{
	return 0;
}

/* The only CPU there is. */
unsigned long tlbgate_for___kern_my_cpu_offset(void)
{
	__tlbgate_alone();
	return 0;
}

unsigned int tlbgate_for_cpumask_next(int cpu, const struct cpumask *mask)
{
	return cpu + 1;
}

static unsigned long tlbgate_next_bit(const unsigned long *map, unsigned long bits, unsigned long at,
				      int set)
{
	while (at < bits && ((map[at / 64] >> (at % 64)) & 1) != set)
		at++;
	return at < bits ? at : bits;
}

unsigned long tlbgate_for_find_next_bit(const unsigned long *map, unsigned long bits,
					unsigned long at)
{
	return tlbgate_next_bit(map, bits, at, 1);
}

unsigned long tlbgate_for_find_next_zero_bit(const unsigned long *map, unsigned long bits,
					     unsigned long at)
{
	return tlbgate_next_bit(map, bits, at, 0);
}

void tlbgate_for___bitmap_clear(unsigned long *map, unsigned int start, int bits)
{
	for (; bits > 0; bits--, start++)
		map[start / 64] &= ~(1UL << (start % 64));
}

unsigned int tlbgate_for___bitmap_weight(const unsigned long *map, unsigned int bits)
{
	unsigned int i, weight = 0;

	for (i = 0; i < bits; i++)
		weight += (map[i / 64] >> (i % 64)) & 1;
	return weight;
}

/* The map of VMIDs is all that is allocated. */
static void *tlbgate_map_of(u64 bytes)
{
	if (bytes > sizeof(tlbgate_vmid_map))
		__tlbgate_bug();
	return tlbgate_vmid_map;
}

unsigned long *tlbgate_for_bitmap_zalloc(unsigned int bits, gfp_t flags)
{
	return tlbgate_map_of(bits / 8);
}

void *tlbgate_for_kcalloc(size_t n, size_t size, gfp_t flags)
{
	return tlbgate_map_of(n * size);
}

/* For setup(): the VM gets its VMID from the tree's allocator, has run, and runs no more. */
static void vm_has_run(void)
{
	u64 before = atomic64_read(&the_mmu->vmid.id);

	if (kvm_arm_vmid_alloc_init())
		__tlbgate_bug();
	/* The CPU has run vCPUs before. */
	kvm_arm_vmid_clear_active();
	atomic64_set(&the_mmu->vmid.id, 0);
	kvm_arm_vmid_update(&the_mmu->vmid);
	if ((atomic64_read(&the_mmu->vmid.id) & 0xff) != before)
		__tlbgate_bug();
	kvm_arm_vmid_clear_active();
	tlbgate_entered = shared_word(0);
	__tlbgate_entered(tlbgate_entered);
}

/* For setup(): every other VMID was given to some VM of these days. */
static void vmids_are_used_up(void)
{
	int i;

	for (i = 0; i < 4; i++)
		tlbgate_vmid_map[i] = ~0UL;
}

/* The host lets go of all of the VM's stage 2, when the last process that could run it has gone. */
static void vm_ends(void)
{
	${endOfVm(read) ?? ''}(the_kvm);
}

/* Another VM is made, has one mapping, and may be entered by other CPUs. */
static void second_vm_runs(phys_addr_t ipa, phys_addr_t page, enum kvm_pgtable_prot prot)
{
	struct kvm_s2_mmu *mmu = &tlbgate_second.arch.mmu;

	tlbgate_init_vm(&tlbgate_second, &tlbgate_second_pgt);
	vm_lock(&tlbgate_second);
	if (kvm_pgtable_stage2_map(mmu->pgt, ipa, PAGE_SIZE, page, prot, the_cache TLBGATE_MAP_FLAGS))
		__tlbgate_bug();
	vm_unlock(&tlbgate_second);
	kvm_arm_vmid_update(&mmu->vmid);
	smp_store_release(tlbgate_entered, kvm_get_vttbr(mmu));
}
`;
}
