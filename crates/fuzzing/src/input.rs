//! The fuzzer's bytes, taken piece by piece. What is not there any more is zero.

/// A cursor over the input.
pub struct Input<'a>(pub &'a [u8]);

impl<'a> Input<'a> {
    pub fn byte(&mut self) -> u8 {
        self.bytes(1).first().copied().unwrap_or_default()
    }

    pub fn short(&mut self) -> u16 {
        self.bytes(2).iter().fold(0, |number, &byte| number << 8 | u16::from(byte))
    }

    pub fn long(&mut self) -> u64 {
        self.bytes(8).iter().fold(0, |number, &byte| number << 8 | u64::from(byte))
    }

    /// Up to `count` bytes.
    pub fn bytes(&mut self, count: usize) -> &'a [u8] {
        let (taken, rest) = self.0.split_at(count.min(self.0.len()));
        self.0 = rest;
        taken
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Changes single bytes, as the rest of the input says, at most `most` of them: places and values.
    pub fn edit(&mut self, bytes: &mut [u8], most: usize) {
        for _ in 0..most {
            if self.is_empty() || bytes.is_empty() {
                return;
            }
            let at = usize::from(self.short()) % bytes.len();
            bytes[at] = self.byte();
        }
    }
}
