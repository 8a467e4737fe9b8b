//! Korean.

use domain::refusal::{Reason, Rule};

pub(super) fn reason(reason: &Reason) -> String {
    let fixed = match reason {
        Reason::Invalid(broken) => return rule(broken),
        Reason::OutOfStock { available: 0, .. } => "품절되었습니다.",
        Reason::OutOfStock { available, .. } => {
            return format!("남은 수량은 {available}개입니다.");
        }
        Reason::PurchaseLimitReached {
            limit, remaining, ..
        } => {
            return format!(
                "1인당 {limit}개까지 구매할 수 있습니다. 남은 한도는 {remaining}개입니다."
            );
        }
        Reason::NotFound => "찾을 수 없습니다.",
        Reason::Unauthenticated => "먼저 로그인해 주세요.",
        Reason::Forbidden => "이 작업을 할 권한이 없습니다.",
        Reason::DealNotOpen { .. } => "아직 시작되지 않은 딜입니다.",
        Reason::DealClosed { .. } => "종료된 딜입니다.",
        Reason::DealPaused { .. } => "일시 중지된 딜입니다.",
        Reason::TryAgain { .. } => "잠시 후 다시 시도해 주세요.",
        Reason::CurrencyMismatch => "서로 다른 통화의 가격은 함께 처리할 수 없습니다.",
        Reason::TotalTooLarge => "주문 금액이 너무 큽니다.",
        Reason::StateConflict { .. } => "현재 주문 상태에서는 할 수 없습니다.",
        Reason::PaymentWindowClosed { .. } => "결제 가능 시간이 지났습니다.",
        Reason::ReturnWindowClosed { .. } => "반품 가능 기간이 지났습니다.",
        Reason::ReturnSettled { .. } => "이미 처리된 반품입니다.",
        Reason::MoreThanCaptured { refundable } => {
            let amount = refundable.to_decimal();
            return format!(
                "환불할 수 있는 금액은 최대 {amount} {}입니다.",
                refundable.currency.code()
            );
        }
        Reason::DeadLetterSettled { .. } => "이미 처리가 끝난 데드 레터입니다.",
        Reason::DeadLetterNotWhole => "다시 보낼 내용이 남아 있지 않아 폐기만 할 수 있습니다.",
        Reason::IdempotencyKeyReused => "이미 다른 요청에 사용된 멱등성 키입니다.",
        Reason::VersionConflict { .. } => "그 사이에 다른 사람이 변경했습니다.",
        Reason::StockBelowHeld { held } => {
            return format!("주문이 보유한 {held}개보다 재고를 줄일 수 없습니다.");
        }
        Reason::DealHasBegun { .. } => "이미 시작된 딜의 시작 시각은 바꿀 수 없습니다.",
        Reason::NotATimeDeal => "타임딜 상품이 아닙니다.",
        Reason::OnWishlistAlready { .. } => "이미 위시리스트에 있는 상품입니다.",
        Reason::WishlistFull { most } => {
            return format!("위시리스트에는 {most}개까지 담을 수 있습니다.");
        }
        Reason::InvalidCredentials => "이메일 또는 비밀번호가 올바르지 않습니다.",
        Reason::VerificationInvalid => "인증 코드가 올바르지 않거나 만료되었습니다.",
        Reason::SessionEnded => "세션이 만료되었습니다. 다시 로그인해 주세요.",
        Reason::SecondFactorRequired { .. } => {
            "이메일로 인증 코드를 보냈습니다. 코드를 입력해 주세요."
        }
        Reason::OrdersOpen { orders } => {
            return format!(
                "진행 중인 주문이 {orders}건 있습니다. 완료되거나 취소된 후에 다시 시도해 주세요."
            );
        }
        Reason::RateLimited { .. } => "시도 횟수가 너무 많습니다. 잠시 후 다시 시도해 주세요.",
    };
    fixed.to_owned()
}

fn rule(rule: &Rule) -> String {
    let fixed = match rule {
        Rule::TooSmall { least } => return format!("{least} 이상이어야 합니다."),
        Rule::TooLarge { most } => return format!("{most} 이하여야 합니다."),
        Rule::TooShort { least: 1 } => "비워 둘 수 없습니다.",
        Rule::TooShort { least } => return format!("길이가 {least} 이상이어야 합니다."),
        Rule::TooLong { most } => return format!("길이가 {most} 이하여야 합니다."),
        Rule::Decimal => "12.50과 같은 십진수여야 합니다.",
        Rule::DecimalPlaces { most: 0 } => "소수점 이하를 쓸 수 없습니다.",
        Rule::DecimalPlaces { most } => {
            return format!("소수점 이하 {most}자리까지 쓸 수 있습니다.");
        }
        Rule::Currency => "KRW와 같은 통화 코드여야 합니다.",
        Rule::Email => "이메일 주소여야 합니다.",
        Rule::Phone => "전화번호여야 합니다.",
        Rule::CommonPassword => "너무 쉽게 추측할 수 있는 비밀번호입니다.",
        Rule::Characters => "제어 문자를 쓸 수 없습니다.",
        Rule::EndsBeforeItBegins => "종료 시각은 시작 시각보다 뒤여야 합니다.",
        Rule::InThePast => "과거일 수 없습니다.",
        Rule::Repeated => "이미 있습니다.",
        Rule::Id => "올바른 유형의 ID가 아닙니다.",
        Rule::ExactlyOne => "함께 쓸 수 없는 필드 중 정확히 하나만 입력해야 합니다.",
    };
    fixed.to_owned()
}
