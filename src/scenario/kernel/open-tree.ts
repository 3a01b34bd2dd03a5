import { attempt, FrontendError, type Outcome } from '../../frontend/kernel-c/diagnostic.ts';
import { overlayReader, type Overlay, type ReadFile } from '../../frontend/kernel-c/read-file.ts';
import { didYouMean } from '../../util/closest.ts';
import type { KernelFamily, LoadedTree, OpenOptions } from './family.ts';
import { JOINT, joinedFamily } from './joined-family.ts';
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
 * The family that a tree belongs to: what is named, or else the first whose files and names it has,
 * together with others that the patch concerns; without the first where it concerns others alone. Probed
 * on the side that the patch makes, so that base and patched side are of one family.
 */
export function familyOf(
  read: ReadFile,
  overlay: Overlay,
  wanted: string | null,
): Outcome<KernelFamily> {
  return attempt(() => {
    const names = FAMILIES.map(({ name }) => name);
    if (wanted !== null) {
      const named = [...new Set(wanted.split(JOINT))].map((word) => {
        const family = FAMILIES.find(({ name }) => name === word);
        if (family !== undefined) return family;
        throw problem(
          `there is no profile "${word}".${didYouMean(word, names)} Profiles: ${names.join(', ')}, or several with ${JOINT} between them`,
        );
      });
      return together(named);
    }
    const patched = overlayReader(overlay, read);
    const fitting = FAMILIES.filter((family) => family.fits(patched));
    if (fitting.length > 0) return concernedBy([...overlay.keys()], fitting);
    if (ROOT_FILES.every((path) => patched(path) === null)) {
      throw problem('this is not the root of a kernel tree: it has neither Makefile nor Kconfig');
    }
    throw problem(
      `no profile fits this kernel tree; there are ${FAMILIES.map(({ name, kernels }) => `${name} (${kernels})`).join(', ')}`,
    );
  });
}

/** The families that fit a tree and are no part of one that was taken for it. */
export function otherFamilies(read: ReadFile, { name }: KernelFamily): readonly KernelFamily[] {
  const taken = name.split(JOINT);
  return FAMILIES.filter((family) => !taken.includes(family.name) && family.fits(read));
}

/** Among the families that fit a tree, those that a change of these files concerns; the first where none is. */
function concernedBy(
  changed: readonly string[],
  [first, ...others]: readonly KernelFamily[],
): KernelFamily {
  if (first === undefined) throw new RangeError('no family fits');
  const further = others.filter(({ concerned }) =>
    changed.some((path) => concerned(path) !== 'no'),
  );
  const isElsewhere = (path: string): boolean =>
    further.some(({ concerned }) => concerned(path) === 'alone');
  const alone = further.length > 0 && changed.every(isElsewhere);
  return together(alone ? further : [first, ...further]);
}

function together(families: readonly KernelFamily[]): KernelFamily {
  const [only, ...more] = families;
  return only !== undefined && more.length === 0 ? only : joinedFamily(families);
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
