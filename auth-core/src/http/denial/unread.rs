//! Bodies of requests that are answered before they are read.

use std::{
    pin::Pin,
    task::{Context, Poll},
};

use actix_web::{
    HttpResponse,
    body::{BodySize, BoxBody, MessageBody},
    dev::Payload,
    web::Bytes,
};

/// The body of an answer, and the body of its request, which is not read to the end.
///
/// actix-http throws a chunked body away to its end once it is dropped, and keeps the connection for the next
/// request: a body that never ends would keep it for ever. If it is held while the answer is sent, the connection is
/// closed afterwards, as it is for bodies of a given length. The server still reads for a while
/// (`HttpServer::client_disconnect_timeout`), so that the answer reaches a client which writes before it reads.
pub(crate) struct Unread<H> {
    answer: BoxBody,
    _body: H,
}

impl<H: Unpin + 'static> Unread<H> {
    /// The answer, which holds this for as long as it is sent.
    pub(crate) fn holding(answer: BoxBody, body: H) -> BoxBody {
        BoxBody::new(Self { answer, _body: body })
    }
}

impl Unread<Payload> {
    pub(super) fn of(response: HttpResponse, body: Payload) -> HttpResponse {
        match body {
            Payload::None => response,
            body => response.map_body(|_, answer| Self::holding(answer, body)),
        }
    }
}

impl<H: Unpin + 'static> MessageBody for Unread<H> {
    type Error = <BoxBody as MessageBody>::Error;

    fn size(&self) -> BodySize {
        self.answer.size()
    }

    fn poll_next(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Bytes, Self::Error>>> {
        Pin::new(&mut self.answer).poll_next(context)
    }
}
