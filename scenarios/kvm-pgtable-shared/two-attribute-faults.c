/*
 * name: one CPU gives the right to write back while another makes the page young
 * why: both change one entry under the read lock, each with a compare-and-swap
 * profile: kvm-pgtable-shared
 * guest: write
 */
#define IPA 0x40000000UL
#define PAGE 0x80000000UL

void setup(void)
{
	map(IPA, PAGE, PAGE_SIZE, KVM_PGTABLE_PROT_R);
	age_range(IPA, PAGE_SIZE);
	guest_page(IPA, PAGE);
}

void host(void)
{
	relax_fault(IPA, READ_WRITE);
}

void host1(void)
{
	access_fault(IPA);
}
