// Collections as MongoDB shows them, in a form in which what means the same is the same.
//
// Normalised are:
//  - numbers: 1, 1.0, NumberLong(1) and {"$numberInt": "1"} are the integer 1;
//  - values in Extended JSON: dates, object ids, binaries, ... each in one way of writing;
//  - the order of keys in documents, which does not matter in validators, filters and collations;
//    the keys of an index keep theirs;
//  - directions of index keys: any positive number is 1, any negative one -1;
//  - {} and null as a validator, partial filter or collation: none at all;
//  - collations: "simple" is none; fields that have their default value, and the version of the
//    collation library, are left out;
//  - text indexes: the fields that the server lists as weights are keys "text" again;
//  - in listings, what the server adds by itself (v, ns, background) is ignored.
// A validator that the server does not enforce on every write (validationAction warn,
// validationLevel moderate or off) equals no template.
#pragma once

#include "mongodb/document.hpp"
#include "store/model.hpp"

namespace tenancy::sidecar::mongodb {

// Of a document that may hold Extended JSON.
[[nodiscard]] Json canonical(const Json& document);
[[nodiscard]] IndexTemplate canonical(const IndexTemplate& index);
[[nodiscard]] CollectionTemplate canonical(const CollectionTemplate& collection);
[[nodiscard]] Templates canonical(const Templates& templates);

// A document of listIndexes and one of listCollections (without indexes), in canonical form.
[[nodiscard]] IndexTemplate read_index(const OrderedJson& listed);
[[nodiscard]] CollectionTemplate read_collection(const OrderedJson& listed);

// What was found, with everything that means the same as in the template put in the template's own
// words, so that == tells whether there is anything to do.
[[nodiscard]] CollectionTemplate in_words_of(const CollectionTemplate& wanted,
                                             CollectionTemplate found);

// An index as createIndexes takes it. Throws DocumentError.
[[nodiscard]] Document index_document(const IndexTemplate& index);

} // namespace tenancy::sidecar::mongodb
