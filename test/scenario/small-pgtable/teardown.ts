import type { ReadFile } from '../../../src/frontend/kernel-c/read-file.ts';
import { readSmallPgtable } from './tree.ts';

/** The small tree with the end of a VM and an allocator of VMIDs, in kernel style and written by us. */
const DECLARATIONS = `
typedef long s64;
typedef u32 gfp_t;
typedef struct { int word; } raw_spinlock_t;
void free_pages_exact(void *pages, size_t size);
unsigned long *bitmap_zalloc(unsigned int bits, gfp_t flags);
unsigned long find_next_zero_bit(const unsigned long *map, unsigned long bits, unsigned long at);

extern unsigned int kvm_arm_vmid_bits;
#define kvm_get_vmid_bits() (read_sanitised_ftr_reg(SYS_ID_AA64MMFR1_EL1) ? 16 : 8)
#define kvm_get_vttbr(mmu) (((u64)atomic64_read(&(mmu)->vmid.id) & 0xff) << 48 | (mmu)->pgd_phys)
int kvm_arm_vmid_alloc_init(void);
void kvm_arm_vmid_clear_active(void);
void kvm_arm_vmid_update(struct kvm_vmid *vmid);
void kvm_arch_flush_shadow_all(struct kvm *kvm);
void kvm_pgtable_stage2_destroy(struct kvm_pgtable *pgt);
void flush_everything(void);
`;

const MMU = `
void kvm_arch_flush_shadow_all(struct kvm *kvm)
{
	struct kvm_pgtable *pgt;

	write_lock(&kvm->mmu_lock);
	pgt = kvm->arch.mmu.pgt;
	kvm->arch.mmu.pgt = NULL;
	kvm->arch.mmu.pgd_phys = 0;
	write_unlock(&kvm->mmu_lock);
	if (pgt)
		kvm_pgtable_stage2_destroy(pgt);
}
`;

const PGTABLE = `
static void free_below(struct kvm_pgtable *pgt, u64 *table, int shift)
{
	int i;

	for (i = 0; i < (shift == 30 ? 1024 : 512); i++) {
		u64 *below = __va(READ_ONCE(table[i]) & OUTPUT);

		if (!READ_ONCE(table[i]))
			continue;
		if (shift > 12)
			free_below(pgt, below, shift - 9);
		pgt->mm_ops->put_page(&table[i]);
		if (shift > 12)
			pgt->mm_ops->put_page(below);
	}
}

void kvm_pgtable_stage2_destroy(struct kvm_pgtable *pgt)
{
	free_below(pgt, pgt->pgd, 30);
	free_pages_exact(pgt->pgd, 2 * PAGE_SIZE);
}
`;

const FLUSH = `
void flush_everything(void)
{
	dsb(ishst);
	tlbi(alle1is);
	dsb(ish);
}
`;

const VMIDS = `#include <asm/small.h>

unsigned int kvm_arm_vmid_bits;
static u64 generation;
static unsigned long *map;

int kvm_arm_vmid_alloc_init(void)
{
	generation = 1;
	map = bitmap_zalloc(256, 0);
	return !map;
}

void kvm_arm_vmid_clear_active(void)
{
}

void kvm_arm_vmid_update(struct kvm_vmid *vmid)
{
	unsigned long free;

	if ((u64)atomic64_read(&vmid->id) >> kvm_arm_vmid_bits == generation)
		return;
	free = find_next_zero_bit(map, 256, 1);
	if (free == 256) {
		generation++;
		for (free = 0; free < 4; free++)
			map[free] = 0;
		kvm_call_hyp(flush_everything);
		free = 1;
	}
	map[free / 64] |= 1UL << (free % 64);
	atomic64_set(&vmid->id, generation << kvm_arm_vmid_bits | free);
}
`;

const MORE: Readonly<Record<string, string>> = {
  'arch/arm64/include/asm/small.h': DECLARATIONS,
  'arch/arm64/kvm/mmu.c': MMU,
  'arch/arm64/kvm/hyp/pgtable.c': PGTABLE,
  'arch/arm64/kvm/hyp/vhe/tlb.c': FLUSH,
  'arch/arm64/kvm/hyp/nvhe/tlb.c': FLUSH,
};

/** Reads the small tree with VMs that end. */
export const readSmallTeardown: ReadFile = (path) => {
  if (path === 'arch/arm64/kvm/vmid.c') return VMIDS;
  const text = readSmallPgtable(path);
  return text === null ? null : text + (MORE[path] ?? '');
};
