import type { ReadFile } from '../../../src/frontend/kernel-c/read-file.ts';
import { readSmallPgtable } from './tree.ts';

/** The small tree with what its fault path and an MMU notifier need, in kernel style and written by us. */
const KVM_HOST = `#include <asm/small.h>

typedef u64 kvm_pfn_t;
typedef struct { long counter; } atomic_long_t;
#define atomic_long_set(v, i) WRITE_ONCE((v)->counter, (i))

struct mm_struct;
struct task_struct { struct mm_struct *mm; };
struct vm_area_struct { unsigned long vm_flags; };
struct rb_root_cached { void *first; };
struct interval_tree_node { unsigned long start, last; };
struct task_struct *get_current(void);
void mmap_read_lock(struct mm_struct *mm);
void mmap_read_unlock(struct mm_struct *mm);

struct kvm_memory_slot {
	struct interval_tree_node hva_node[2];
	gfn_t base_gfn;
	unsigned long npages, userspace_addr;
};
struct kvm_memslots { atomic_long_t last_used_slot; };
struct mmu_notifier { int users; };
struct mmu_notifier_range { unsigned long start, end; unsigned int flags; };
#define MMU_NOTIFIER_RANGE_BLOCKABLE 1
struct kvm {
	rwlock_t mmu_lock;
	struct kvm_arch arch;
	struct mmu_notifier mmu_notifier;
	struct kvm_memslots *memslots[1];
	unsigned long mmu_invalidate_seq;
	long mmu_invalidate_in_progress;
};

#define ESR_ELx_EC_SHIFT 26
#define ESR_ELx_EC_DABT_LOW 0x24
#define ESR_ELx_EC_IABT_LOW 0x20
#define ESR_ELx_WNR (1UL << 6)
#define KVM_ARCH_NR_OBJS_PER_MEMORY_CACHE 40
struct kvm_vcpu {
	struct kvm *kvm;
	struct {
		struct kvm_s2_mmu *hw_mmu;
		struct kvm_mmu_memory_cache mmu_page_cache;
		struct { u64 esr_el2, hpfar_el2; } fault;
	} arch;
};

kvm_pfn_t __gfn_to_pfn_memslot(const struct kvm_memory_slot *slot, gfn_t gfn, bool *writable);
int kvm_handle_guest_abort(struct kvm_vcpu *vcpu);
bool kvm_unmap_gfn_range(struct kvm *kvm, struct kvm_gfn_range *range);
`;

const FAULT = `
int kvm_handle_guest_abort(struct kvm_vcpu *vcpu)
{
	struct kvm *kvm = vcpu->kvm;
	struct kvm_memory_slot *slot = (void *)kvm->memslots[0]->last_used_slot.counter;
	gfn_t gfn = vcpu->arch.fault.hpfar_el2 >> 4;
	unsigned long seq;
	kvm_pfn_t pfn;
	bool writable;

	mmap_read_lock(get_current()->mm);
	seq = kvm->mmu_invalidate_seq;
	mmap_read_unlock(get_current()->mm);
	pfn = __gfn_to_pfn_memslot(slot, gfn, &writable);
	write_lock(&kvm->mmu_lock);
	if (kvm->mmu_invalidate_in_progress || kvm->mmu_invalidate_seq != seq)
		goto out;
	kvm_pgtable_stage2_map(vcpu->arch.hw_mmu->pgt, gfn << PAGE_SHIFT, PAGE_SIZE,
			       pfn << PAGE_SHIFT, KVM_PGTABLE_PROT_R | KVM_PGTABLE_PROT_W,
			       &vcpu->arch.mmu_page_cache);
out:
	write_unlock(&kvm->mmu_lock);
	return 1;
}
`;

const KVM_MAIN = `#include <linux/kvm_host.h>

#define kvm_of(mn) ((struct kvm *)((char *)(mn) - __builtin_offsetof(struct kvm, mmu_notifier)))

kvm_pfn_t __gfn_to_pfn_memslot(const struct kvm_memory_slot *slot, gfn_t gfn, bool *writable)
{
	*writable = true;
	return 0;
}

static int kvm_mmu_notifier_invalidate_range_start(struct mmu_notifier *mn,
						   const struct mmu_notifier_range *range)
{
	struct kvm *kvm = kvm_of(mn);
	struct kvm_memory_slot *slot = (void *)kvm->memslots[0]->last_used_slot.counter;
	struct kvm_gfn_range gfns;

	gfns.start = slot->base_gfn + ((range->start - slot->userspace_addr) >> PAGE_SHIFT);
	gfns.end = slot->base_gfn + ((range->end - slot->userspace_addr) >> PAGE_SHIFT);
	write_lock(&kvm->mmu_lock);
	kvm->mmu_invalidate_in_progress++;
	kvm_unmap_gfn_range(kvm, &gfns);
	write_unlock(&kvm->mmu_lock);
	return 0;
}

static void kvm_mmu_notifier_invalidate_range_end(struct mmu_notifier *mn,
						  const struct mmu_notifier_range *range)
{
	struct kvm *kvm = kvm_of(mn);

	write_lock(&kvm->mmu_lock);
	kvm->mmu_invalidate_seq++;
	kvm->mmu_invalidate_in_progress--;
	write_unlock(&kvm->mmu_lock);
}
`;

const HEADER = 'arch/arm64/include/asm/small.h';
const MMU = 'arch/arm64/kvm/mmu.c';
const INCLUDE = '#include <asm/small.h>\n';

/** Reads the small tree with a fault path. */
export const readSmallFaults: ReadFile = (path) => {
  const text = readSmallPgtable(path);
  switch (path) {
    case 'include/linux/kvm_host.h':
      return KVM_HOST;
    case 'virt/kvm/kvm_main.c':
      return KVM_MAIN;
    case HEADER:
      return text?.replace(/struct kvm \{[^}]*\};/, 'struct kvm;') ?? null;
    case MMU:
      return text === null ? null : text.replace(INCLUDE, '#include <linux/kvm_host.h>\n') + FAULT;
    default:
      return text;
  }
};

/** The same with the page look-up of 6.13 and later, which hands out a reference as well. */
export const readNewFaults: ReadFile = (path) =>
  readSmallFaults(path)
    ?.replaceAll(
      '__gfn_to_pfn_memslot(const struct kvm_memory_slot *slot, gfn_t gfn, bool *writable)',
      FAULTIN,
    )
    .replace(
      '__gfn_to_pfn_memslot(slot, gfn, &writable)',
      '__kvm_faultin_pfn(slot, gfn, 1, &writable, &page)',
    )
    .replace('\tbool writable;\n', '\tstruct page *page;\n\tbool writable;\n')
    .replace('out:\n', 'out:\n\tif (page)\n\t\treturn 0;\n') ?? null;

const FAULTIN =
  '__kvm_faultin_pfn(const struct kvm_memory_slot *slot, gfn_t gfn, unsigned int foll, bool *writable,\n\t\t\t    struct page **refcounted_page)';

/** The same with the names and the array of slots of 5.16 and before. */
export const readOldFaults: ReadFile = (path) =>
  readSmallFaults(path)
    ?.replaceAll('mmu_invalidate_seq', 'mmu_notifier_seq')
    .replaceAll('mmu_invalidate_in_progress', 'mmu_notifier_count')
    .replaceAll(
      '(void *)kvm->memslots[0]->last_used_slot.counter',
      '&kvm->memslots[0]->memslots[0]',
    )
    .replace(
      'struct kvm_memslots { atomic_long_t last_used_slot; };',
      'struct kvm_memslots {\n\tint used_slots;\n\tstruct kvm_memory_slot memslots[];\n};',
    ) ?? null;
