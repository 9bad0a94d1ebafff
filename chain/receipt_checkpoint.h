#pragma once

#include "chain/receipt.h"

namespace eventchain::chain {

// Step 10 of RECEIPTS.md: a checkpoint from elsewhere against a receipt whose other steps passed.
// `signers` are what those proved.
ReceiptStep checkpoint_step(const Receipt& receipt, const KnownLog& known,
                            const SignerHistory& signers);

}  // namespace eventchain::chain
