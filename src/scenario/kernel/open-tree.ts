import { attempt, FrontendError, type Outcome } from '../../frontend/kernel-c/diagnostic.ts';
import { overlayReader, type Overlay, type ReadFile } from '../../frontend/kernel-c/read-file.ts';
import { didYouMean } from '../../util/closest.ts';
import type { KernelFamily, LoadedTree, OpenOptions } from './family.ts';
import { KVM_LEGACY } from './kvm-legacy.ts';
import { KVM_PGTABLE, KVM_PGTABLE_SHARED } from './kvm-pgtable.ts';
import { STAGE1_FLUSH } from './stage1-flush.ts';

/** Every family, in the order in which they are tried. */
export const FAMILIES: readonly KernelFamily[] = [
  KVM_LEGACY,
  KVM_PGTABLE,
  KVM_PGTABLE_SHARED,
  STAGE1_FLUSH,
];

/** Any of these says that a folder is the root of a kernel tree. */
const ROOT_FILES = ['Makefile', 'Kconfig', 'arch/arm64/Makefile', 'include/linux/kconfig.h'];

/**
 * The family that a tree belongs to: the one that is named, else the first whose files and names it
 * has. Probed on the side that the patch makes, so that base and patched side are of one family.
 */
export function familyOf(
  read: ReadFile,
  overlay: Overlay,
  wanted: string | null,
): Outcome<KernelFamily> {
  return attempt(() => {
    const names = FAMILIES.map(({ name }) => name);
    if (wanted !== null) {
      const named = FAMILIES.find(({ name }) => name === wanted);
      if (named !== undefined) return named;
      throw problem(
        `there is no profile "${wanted}".${didYouMean(wanted, names)} Profiles: ${names.join(', ')}`,
      );
    }
    const patched = overlayReader(overlay, read);
    const found = FAMILIES.find((family) => family.fits(patched));
    if (found !== undefined) return found;
    if (ROOT_FILES.every((path) => patched(path) === null)) {
      throw problem('this is not the root of a kernel tree: it has neither Makefile nor Kconfig');
    }
    throw problem(
      `no profile fits this kernel tree; there are ${FAMILIES.map(({ name, kernels }) => `${name} (${kernels})`).join(', ')}`,
    );
  });
}

/** Loads one side of a comparison: the tree as it is with an empty overlay. */
export function openTree(
  read: ReadFile,
  overlay: Overlay,
  options: OpenOptions & { readonly profile?: string } = {},
): Outcome<LoadedTree> {
  const family = familyOf(read, overlay, options.profile ?? null);
  return family.kind === 'ok' ? family.value.open(read, overlay, options) : family;
}

function problem(message: string): FrontendError {
  return new FrontendError('<tree>', 0, 0, message);
}
