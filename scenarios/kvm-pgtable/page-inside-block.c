/*
 * name: map a page inside of a block
 * why: dirty logging breaks a block when a page of it is written: the block goes, a table takes its place
 * profile: kvm-pgtable, kvm-pgtable-shared
 */
#define IPA 0x40000000UL
#define PAGE 0x80000000UL

void setup(void)
{
	map(IPA, PAGE, PMD_SIZE, KVM_PGTABLE_PROT_R);
	fill_cache(the_cache, 4);
	guest_page(IPA, PAGE);
	guest_page(IPA + PAGE_SIZE, PAGE + PAGE_SIZE);
}

void host(void)
{
	map(IPA, PAGE, PAGE_SIZE, READ_WRITE);
}
