/*
 * name: the host makes a page old and flushes, and a vCPU makes it young again
 * why: the access flag changes under the lock, by an atomic that the hardware may be in the way of
 * profile: kvm-s2-legacy
 * needs: age_and_flush
 */
#define IPA 0x40000000UL
#define PAGE 0x80000000UL

void setup(void)
{
	map(IPA, PAGE, PAGE_SIZE, READ_WRITE);
	backed_page(IPA, PAGE);
	guest_page(IPA, PAGE);
}

void host(void)
{
	age_and_flush(IPA, PAGE_SIZE);
	guest_abort(IPA, ACCESS_FAULT);
}
