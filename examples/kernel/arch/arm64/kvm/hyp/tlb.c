#include <asm/small.h>

void flush_ipa(struct kvm *kvm, phys_addr_t ipa)
{
	dsb(ishst);
	write_sysreg(kvm->arch.vtcr, vtcr_el2);
	write_sysreg((u64)kvm->arch.vmid.vmid << 48 | kvm->arch.pgd_phys, vttbr_el2);
	write_sysreg(read_sysreg(hcr_el2) & ~HCR_TGE, hcr_el2);
	isb();
	tlbi_at(ipas2e1is, ipa >> 12);
	dsb(ish);
	tlbi(vmalle1is);
	dsb(ish);
	write_sysreg(0, vttbr_el2);
	write_sysreg(HCR_HOST_VHE_FLAGS, hcr_el2);
	isb();
}
