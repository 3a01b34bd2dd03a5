/*
 * name: unmap a range past the threshold of a range flush
 * why: 512 pages and more may be flushed in another way than fewer, and ranges have several scales
 * profile: kvm-pgtable, kvm-pgtable-shared
 */
#define IPA 0x40001000UL
#define SIZE (514 * PAGE_SIZE)
#define LAST (SIZE - PAGE_SIZE)
#define PAGE 0x80001000UL

void setup(void)
{
	map(IPA, PAGE, PAGE_SIZE, READ_WRITE);
	map(IPA + LAST, PAGE + LAST, PAGE_SIZE, READ_WRITE);
	guest_page(IPA, PAGE);
	guest_page(IPA + LAST, PAGE + LAST);
}

void host(void)
{
	operation_begins("unmap");
	unmap_range(IPA, SIZE);
	operation_returns("unmap", IPA, SIZE);
	host_reads_page(PAGE);
	host_reads_page(PAGE + LAST);
	page_gets_new_owner(PAGE);
	page_gets_new_owner(PAGE + LAST);
}
