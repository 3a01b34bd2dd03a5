/**
 * Macros that kernel headers may not redefine when a unit is run: checks that hold at compile time cost
 * most of the tokens and say nothing, and checks at run time become one call that happens only when
 * they fail. The runtime takes `__tlbgate_warn` and `__tlbgate_bug` for a violated property.
 *
 * `Preprocessed.ignoredDefinitions` lists where the tree defines one of these: a patch that edits such a
 * definition has no effect here and must be told so.
 */
export const LOCKED_MACROS = `#define BUILD_BUG_ON(...) ((void)0)
#define BUILD_BUG_ON_MSG(...) ((void)0)
#define BUILD_BUG_ON_INVALID(...) ((void)0)
#define BUILD_BUG_ON_NOT_POWER_OF_2(...) ((void)0)
#define __BUILD_BUG_ON_NOT_POWER_OF_2(...) ((void)0)
#define BUILD_BUG_ON_ZERO(...) (0)
#define BUILD_BUG() ((void)0)
#define compiletime_assert(...) ((void)0)
#define compiletime_assert_atomic_type(...) ((void)0)
#define compiletime_assert_rwonce_type(...) ((void)0)
#define __BF_FIELD_CHECK(...) ((void)0)
#define WARN_ON(...) ({ int __tlbgate_c = !!(__VA_ARGS__); if (__tlbgate_c) __tlbgate_warn(); __tlbgate_c; })
#define WARN_ON_ONCE(...) WARN_ON(__VA_ARGS__)
#define WARN_ON_SMP(...) WARN_ON(__VA_ARGS__)
#define WARN(condition, ...) WARN_ON(condition)
#define WARN_ONCE(condition, ...) WARN_ON(condition)
#define WARN_TAINT(condition, ...) WARN_ON(condition)
#define WARN_TAINT_ONCE(condition, ...) WARN_ON(condition)
#define BUG() __tlbgate_bug()
#define BUG_ON(...) do { if (__VA_ARGS__) __tlbgate_bug(); } while (0)
#define VM_BUG_ON(...) BUG_ON(__VA_ARGS__)
`;

/** What the macros above call; read before the unit. */
export const LOCKED_PRELUDE = 'void __tlbgate_warn(void);\nvoid __tlbgate_bug(void);\n';
