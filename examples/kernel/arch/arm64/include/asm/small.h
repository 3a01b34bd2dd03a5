typedef unsigned char u8;
typedef unsigned int u32;
typedef unsigned long u64;
typedef u64 phys_addr_t;

#define PAGE_SIZE 4096UL
#define TABLE 2UL
#define WARN_ON(x) \
	warn(#x, x)
#define READ_ONCE(x) (*(const volatile typeof(x) *)&(x))
#define WRITE_ONCE(x, v) (*(volatile typeof(x) *)&(x) = (v))

#define ALTERNATIVE(before, with, cap) \
	"661:\n\t" before "\n662:\n" \
	".pushsection .altinstructions,\"a\"\n" \
	" .word 661b - .\n .word 663f - .\n .hword " #cap "\n" \
	".popsection\n.subsection 1\n663:\n\t" with "\n664:\n\t.previous\n"
#define NUMBERED(before, with, cap) \
	".if 1 == 1\n" ALTERNATIVE(before, with, cap) ".endif\n"

#define ARM64_HAS_STAGE2_FWB 3
#define ARM64_WORKAROUND_REPEAT_TLBI 4
#define HCR_TGE (1UL << 27)
#define HCR_HOST_VHE_FLAGS ((1UL << 31) | HCR_TGE | (1UL << 34))
#define VTCR_EL2_HA (1 << 21)
#define VTCR_EL2_LVLS_TO_SL0(levels) ((2UL - (4 - (levels))) << 6)
#define ICACHEF_VPIPT 1

#define dsb(option) asm volatile("dsb " #option : : : "memory")
#define isb() asm volatile("isb" : : : "memory")
#define tlbi(op) \
	asm volatile("tlbi " #op "\n" NUMBERED("nop", "dsb ish\n\ttlbi " #op, 4) : :)
#define tlbi_at(op, at) \
	asm volatile("tlbi " #op ", %0\n" NUMBERED("nop", "dsb ish\n\ttlbi " #op ", %0", 4) : : "r"(at))
#define read_sysreg(name) \
	({ u64 __value; asm volatile("mrs %0, " #name : "=r"(__value)); __value; })
#define write_sysreg(value, name) \
	do { u64 __value = (value); asm volatile("msr " #name ", %x0" : : "rZ"(__value)); } while (0)

struct page { u64 flags; u64 private_words[6]; u32 count; u32 spare; };
typedef struct { int word; } spinlock_t;
struct kvm_vmid { u64 generation; u32 vmid; };
struct kvm_arch { struct kvm_vmid vmid; u64 *pgd; phys_addr_t pgd_phys; u64 vtcr; };
struct kvm { spinlock_t mmu_lock; struct kvm_arch arch; };

extern struct page *vmemmap;
extern u64 physvirt_offset;

#define __va(pa) ((void *)((u64)(pa) - physvirt_offset))
#define __pa(va) ((u64)(va) + physvirt_offset)
#define virt_to_page(va) (vmemmap + (__pa(va) >> 12))

void _raw_spin_lock(spinlock_t *lock);
void _raw_spin_unlock(spinlock_t *lock);
#define spin_lock(lock) _raw_spin_lock(lock)
#define spin_unlock(lock) _raw_spin_unlock(lock)
int __cond_resched_lock(spinlock_t *lock);
int cpus_have_const_cap(int number);
void put_page(struct page *page);
static inline int page_count(struct page *page)
{
	return READ_ONCE(page->count);
}
void free_pages(unsigned long address, unsigned int order);
void __flush_dcache_area(void *address, u64 size);

#define kvm_call_hyp(f, ...) f(__VA_ARGS__)

void flush_ipa(struct kvm *kvm, phys_addr_t ipa);
