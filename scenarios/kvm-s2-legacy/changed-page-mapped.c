/*
 * name: the host puts another page in the place of one that is mapped
 * why: KVM breaks the entry, invalidates it and makes the other, with nobody else to unmap the old page
 * profile: kvm-s2-legacy
 * needs: page_changes
 */
#define IPA 0x40000000UL
#define OLD 0x80000000UL
#define NEW 0x80010000UL

void setup(void)
{
	map(IPA, OLD, PAGE_SIZE, READ_WRITE);
	backed_page(IPA, OLD);
	guest_page(IPA, OLD);
	guest_page(IPA, NEW);
}

void host(void)
{
	operation_begins("change_pte");
	page_changes(IPA, NEW);
	operation_returns("change_pte", IPA, PAGE_SIZE);
	page_gets_new_owner(OLD);
}
