/**
 * Files of v5.8-rc7 that this folder mirrors, with the blobs the line numbers are taken from. The
 * first two are the pre-images the seed patch names.
 */
export const MMU_C = 'arch/arm64/kvm/mmu.c'; // blob 8c0035cab6b629fa5732fe2e872256da1dd279f8
export const TLB_C = 'arch/arm64/kvm/hyp/tlb.c'; // blob d063a576d511be9ed08f233a49bbf1e7d1468b91
export const KVM_HOST_H = 'arch/arm64/include/asm/kvm_host.h';
export const KVM_MMU_H = 'arch/arm64/include/asm/kvm_mmu.h';
export const PGTABLE_H = 'arch/arm64/include/asm/pgtable.h';
export const CACHEFLUSH_H = 'arch/arm64/include/asm/cacheflush.h';
export const CACHE_S = 'arch/arm64/mm/cache.S';
export const SWITCH_C = 'arch/arm64/kvm/hyp/switch.c';
export const HYP_S = 'arch/arm64/kvm/hyp.S';
export const KVM_MAIN_C = 'virt/kvm/kvm_main.c';

/** The kernel all of it is taken from. */
export const KERNEL = 'v5.8-rc7';
