/** Litmus tests in our own words, one small thing each. */

/** Message passing where the reader's page appears meanwhile. */
export const HERD_MAKE = `AArch64 make
"a page is mapped, then announced"
TTHM=P1:HA
Variant=fatal
{
 int x=7; int64_t big=-1; int a[2]={3,4};
 [PTE(x)]=(oa:PA(x),valid:0,af:0);
 0:X0=(oa:PA(x),af:0); 0:X1=PTE(x); 0:X3=y;
 1:X1=x; 1:X3=y; 1:X5=a;
}
 P0          | P1          ;
 STR X0,[X1] | LDR W2,[X3] ; (* the flag *)
 DSB ISH     | DMB LD      ;
 MOV W2,#1   | LDR W6,[X5,#4] ;
 STR W2,[X3] | L0:         ;
             | LDR W0,[X1] ;
locations [big;a[1];PTE(x);]
exists (1:X2=1 /\\ 1:X0=7 /\\ ~fault(P1:L0,x))
`;

/** A handler that mends what it faulted on. */
export const HERD_HANDLER = `AArch64 mend
{
 int x=5;
 [PTE(x)]=(valid:0);
 0:X1=x; 0:X2=(oa:PA(x)); 0:X3=PTE(x);
}
 P0             | P0.F        ;
 MOV W9,#0      | STR X2,[X3] ;
L0: LDR W0,[X1] | DSB ISH     ;
 CBZ W0,L1      | MRS X4,ELR_EL1 ;
 CSEL W5,W0,W9,EQ | ADD W9,W9,#1 ;
L1:             | ERET        ;
 CAS W9,W0,[X1] |             ;
forall (0:X0=5 /\\ 0:X9=5 /\\ 0:X4=label:"P0:L0")
`;

/** Two stages: the host at EL2 unmaps at stage 2, the guest reads. */
export const ISLA_TWO_STAGES = `arch = "AArch64"
name = "two-stages"
symbolic = ["x", "y"]

page_table_setup = """
    physical pa1 pa2;
    intermediate ipa1;
    x |-> ipa1;
    ipa1 |-> pa1;
    ipa1 ?-> invalid;
    y |-> pa2;
    *pa1 = 1;
    *pa2 = 0;
    identity 0x2000 with code;
"""

[thread.0]
init = {}
code = """
    STR X0,[X1]   // unmap
    DSB SY
    MOV X2,#1
    STR X2,[X3]
"""

[thread.0.reset]
R0 = "extz(0b0, 64)"
R1 = "pte3(ipa1, s2_page_table_base)"
R3 = "y"
"PSTATE.EL" = "0b10"

[thread.1]
init = {}
code = """
    LDR X0,[X1]
    DSB SY
    ISB
    LDR X2,[X3]
"""

[thread.1.reset]
R1 = "y"
R3 = "x"
VBAR_EL2 = "extz(0x2000, 64)"
"PSTATE.EL" = "0b01"

[section.thread1_el2_handler]
address = "0x2400"
code = """
    MOV X2,#9
    MRS X13,ELR_EL2
    ADD X13,X13,#4
    MSR ELR_EL2,X13
    ERET
"""

[final]
assertion = "1:X0=1 & ~1:X2=1"
`;

/** Own tables, a context switch, attributes, assertions on addresses. */
export const ISLA_TABLES = `arch = "AArch64"
name = "tables"
symbolic = ["x"]
page_table_setup = """
    option default_tables = false;
    physical pa1 pa2;
    aligned 2097152 virtual z;
    virtual v w;
    assert v[48..12] == add_bits_int(w[48..12], 1);
    s1table first 0x200000 {
        x |-> pa1 with [AP = 0b11] and default;
        z |-> pa2 at level 2;
    }
    s1table second 0x280000 {
        x |-> pa2 as walk;
        x ?-> invalid;
        v |-> invalid;
        w ?-> raw(2);
    };
    *pa1 = 1;
    *pa2 = 2;
"""
[thread.0]
code = """
    LDR X0,[X1]
    MSR TTBR0_EL1,X4
    ISB
    LDR X2,[X1]
1:  CBNZ X2,2f
    NOP
2:
"""
[thread.0.reset]
R1 = "x"
R4 = "ttbr(asid=0x2, base=second)"
TTBR0_EL1 = "ttbr(asid=0x1, base=first)"
VBAR_EL1 = "extz(0x1000, 64)"
"PSTATE.EL" = "0b01"
[final]
assertion = "0:X0=1 & 0:X2=2"
`;

export const HERD_FIXTURES: readonly string[] = [HERD_MAKE, HERD_HANDLER];
export const ISLA_FIXTURES: readonly string[] = [ISLA_TWO_STAGES, ISLA_TABLES];
