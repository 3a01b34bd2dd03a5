import type { Capability, Environment, ObjectField } from './environment.ts';

/** Called whenever the code under test reads something that only the environment says. */
export type NoteRead = (kind: 'global' | 'capability', name: string, value: string) => void;

/** The same environment, which says what is read of it. */
export function watchEnvironment(environment: Environment, note: NoteRead): Environment {
  const objects = new Map(
    [...environment.objects].map(([name, fields]): [string, readonly ObjectField[]] => [
      name,
      fields.map((field) => watchField(field, note)),
    ]),
  );
  const capabilities = new Map(
    [...environment.capabilities].map(([number, capability]): [number, Capability] => [
      number,
      watchCapability(capability, note),
    ]),
  );
  return { ...environment, objects, capabilities };
}

function watchField(field: ObjectField, note: NoteRead): ObjectField {
  const { name, offset, size } = field;
  return {
    name,
    offset,
    size,
    get value() {
      const { value } = field;
      note('global', name, `0x${BigInt.asUintN(8 * size, value).toString(16)}`);
      return value;
    },
  };
}

function watchCapability(capability: Capability, note: NoteRead): Capability {
  const { name } = capability;
  return {
    name,
    get present() {
      const { present } = capability;
      note('capability', name, present ? 'present' : 'absent');
      return present;
    },
  };
}
