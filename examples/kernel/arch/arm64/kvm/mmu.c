#include <asm/small.h>

#define OUTPUT 0x0000fffffffff000UL

struct flush_ops {
	void (*one)(struct kvm *kvm, phys_addr_t ipa);
};

static void flush_one(struct kvm *kvm, phys_addr_t ipa)
{
	kvm_call_hyp(flush_ipa, kvm, ipa);
}

static const struct flush_ops flush_ops = {
	.one = flush_one,
};

static void clean_page(phys_addr_t page, u64 size)
{
	if (!cpus_have_const_cap(ARM64_HAS_STAGE2_FWB))
		__flush_dcache_area(__va(page), size);
}

static void unmap_leaf(struct kvm *kvm, u64 *slot, phys_addr_t ipa, int shift)
{
	u64 old = READ_ONCE(*slot);

	WRITE_ONCE(*slot, 0);
	flush_ops.one(kvm, ipa);
	clean_page(old & OUTPUT, 1UL << shift);
	put_page(virt_to_page(slot));
}

static void unmap_table(struct kvm *kvm, u64 *table, int shift,
			phys_addr_t ipa, phys_addr_t end)
{
	while (ipa < end) {
		phys_addr_t next = (ipa | ((1UL << shift) - 1)) + 1;
		u64 *slot = table + ((ipa >> shift) & (shift == 30 ? 1023 : 511));
		u64 entry = READ_ONCE(*slot);

		if (next > end)
			next = end;
		if (shift > 12 && (entry & TABLE)) {
			u64 *child = __va(entry & OUTPUT);

			unmap_table(kvm, child, shift - 9, ipa, next);
			if (page_count(virt_to_page(child)) == 1) {
				WRITE_ONCE(*slot, 0);
				flush_ops.one(kvm, ipa);
				free_pages((unsigned long)child, 0);
				put_page(virt_to_page(slot));
			}
		} else if (entry) {
			unmap_leaf(kvm, slot, ipa, shift);
		}
		if (shift == 30 && next != end)
			__cond_resched_lock(&kvm->mmu_lock);
		ipa = next;
	}
}

static void unmap_stage2_range(struct kvm *kvm, phys_addr_t start, u64 size)
{
	unmap_table(kvm, kvm->arch.pgd, 30, start, start + size);
}
