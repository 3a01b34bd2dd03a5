/*
 * name: two vCPUs fault on the same page
 * why: one makes the tables and the entry, the other finds them as they should be
 * profile: kvm-s2-legacy
 * needs: guest_abort
 * guest: write
 */
#define IPA 0x40000000UL
#define PAGE 0x80000000UL

void setup(void)
{
	backed_page(IPA, PAGE);
	guest_page(IPA, PAGE);
}

void host(void)
{
	guest_abort(IPA, WRITE_FAULT);
}

void host1(void)
{
	other_abort(IPA, READ_FAULT);
}
